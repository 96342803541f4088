/** Where mail for elsewhere goes, in the keys of the 0.15 line. */
import { file, ifBlock, type SettingKeys } from "./spelling.ts";
import type { StalwartSettings } from "../schema.ts";

/**
 * Routes, and the strategies that name them.
 * @example routeKeys(settings)["queue.route.smarthost.port"] === "587"
 */
export function routeKeys(settings: StalwartSettings): SettingKeys {
  const { relays, outbound } = settings;
  return {
    ...Object.assign({}, ...relays.map(relayKeys)),
    ...ifBlock(
      "queue.strategy.route",
      [["is_local_domain('*', rcpt_domain)", "'local'"]],
      `'${outbound.route}'`,
    ),
    ...tlsStrategies(settings),
    "queue.connection.default.timeout.connect": `${outbound.connectTimeout}s`,
  };
}

function relayKeys(relay: StalwartSettings["relays"][number]): SettingKeys {
  const id = `queue.route.${relay.name}`;
  return {
    [`${id}.type`]: "relay",
    [`${id}.address`]: relay.host,
    [`${id}.port`]: String(relay.port),
    [`${id}.protocol`]: "smtp",
    [`${id}.tls.implicit`]: String(relay.tls === "implicit"),
    [`${id}.tls.allow-invalid-certs`]: String(relay.tls === "tailnet"),
  };
}

/**
 * Credentials must be in the file: a macro in a value from the data store is not expanded (boot.rs,
 * reload.rs).
 */
export function relayCredentialKeys(relay: StalwartSettings["relays"][number]): SettingKeys {
  if (!relay.auth) return {};
  const id = `queue.route.${relay.name}.auth`;
  return { [`${id}.username`]: relay.auth.username, [`${id}.secret`]: file(relay.auth.secretFile) };
}

/**
 * TLS strategies of relays whose certificate is verified. Stalwart's own rule takes any certificate
 * from the second attempt on (`retry_num > 0 && last_error == 'tls'` → 'invalid-tls'), which would
 * hand a relay's password to whoever stands in between.
 */
function tlsStrategies(settings: StalwartSettings): SettingKeys {
  const keys: SettingKeys = {};
  const rules: [string, string][] = [];
  for (const relay of settings.relays.filter((r) => r.tls !== "tailnet")) {
    const id = `queue.tls.relay-${relay.name}`;
    keys[`${id}.starttls`] = "require";
    keys[`${id}.allow-invalid-certs`] = "false";
    // A relay is no MX: MTA-STS and DANE of the recipient's domain say nothing about it.
    keys[`${id}.dane`] = "disable";
    keys[`${id}.mta-sts`] = "disable";
    rules.push([`mx == '${relay.host}'`, `'relay-${relay.name}'`]);
  }
  if (settings.outbound.route === "mx") rules.push(["retry_num > 0 && last_error == 'tls'", "'invalid-tls'"]);
  return { ...keys, ...ifBlock("queue.strategy.tls", rules, "'default'") };
}
