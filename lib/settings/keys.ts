/**
 * The desired state in the flat keys of Stalwart's 0.15 line, one string a key, so that a preview can show each change.
 *
 * Two places hold them. Keys of the config file ("local keys") are read at start only; the API lists them too, with macros unexpanded.
 * The rest lie in the data store and are written through /api/settings. Which is which: stalwart-lite 0.16.0 common/src/manager/config.rs, `Patterns`.
 */
import { acmeFileKeys, acmeSettingKeys } from "./acme-keys.ts";
import { file, list, type SettingKeys } from "./key-spelling.ts";
import type { StalwartSettings } from "./schema.ts";

export type { SettingKeys } from "./key-spelling.ts";

/** Where Stalwart finds the spam filter's rules when none are wanted; see files.ts of lib/stalwart. */
export const NO_SPAM_RULES_FILE = "/etc/stalwart/spam-filter.toml";

/**
 * Which keys belong to the config file. Naming any replaces Stalwart's own list, which is therefore repeated here; the last two are tailwart's.
 * An entry is a whole key, or a beginning that ends in `*`, or what an `!` takes out.
 */
const LOCAL_KEYS = [
  "store.*",
  "directory.*",
  "tracer.*",
  "!server.blocked-ip.*",
  "!server.allowed-ip.*",
  "server.*",
  "certificate.*",
  "config.local-keys.*",
  "authentication.fallback-admin.*",
  "cluster.*",
  "storage.data",
  "storage.blob",
  "storage.lookup",
  "storage.fts",
  "storage.directory",
  "enterprise.license-key",
  "spam-filter.resource",
  "spam-filter.pyzor.enable",
];

/**
 * Groups that the deploy owns as a whole: a key that is in one of them and not declared is a hand edit. A bare `queue.strategy.route`
 * counts too: Stalwart takes it before the rules below it.
 */
const OWNED_GROUPS = ["queue.strategy.route", "queue.strategy.tls", "server.allowed-ip"];

/** The keys of the config file. @example toFileKeys(settings)["server.hostname"] === "mail.example.org" */
export function toFileKeys(settings: StalwartSettings): SettingKeys {
  const { postgres, autoBan } = settings;
  const acme = acmeFileKeys(settings);
  const keys: SettingKeys = { "server.hostname": settings.hostname };
  for (const listener of settings.listeners) {
    const id = `server.listener.${listener.name}`;
    const bind = listener.bind.includes(":") ? `[${listener.bind.replace(/[[\]]/g, "")}]` : listener.bind;
    keys[`${id}.bind`] = `${bind}:${listener.port}`;
    keys[`${id}.protocol`] = listener.protocol;
    keys[`${id}.tls.implicit`] = String(listener.implicitTls);
    // Per listener and not server-wide: an empty list of a listener would inherit the server's.
    if (listener.proxy)
      Object.assign(keys, list(`${id}.proxy.trusted-networks`, settings.proxyTrustedNetworks));
  }
  for (const [kind, rate] of Object.entries(autoBan)) keys[`server.auto-ban.${kind}.rate`] = String(rate);
  return {
    ...keys,
    "store.postgres.type": "postgresql",
    "store.postgres.host": postgres.host,
    "store.postgres.port": String(postgres.port),
    "store.postgres.database": postgres.database,
    "store.postgres.user": postgres.user,
    "store.postgres.password": file(postgres.passwordFile),
    "store.postgres.timeout": "15s",
    "store.postgres.pool.max-connections": String(postgres.maxConnections),
    "storage.data": "postgres",
    "storage.blob": "postgres",
    "storage.fts": "postgres",
    "storage.lookup": "postgres",
    "storage.directory": "internal",
    "directory.internal.type": "internal",
    "directory.internal.store": "postgres",
    "tracer.stdout.type": "stdout",
    "tracer.stdout.level": settings.logLevel,
    "tracer.stdout.ansi": "false",
    // The console tracer buffers by default, and a killed server's last lines would be lost.
    "tracer.stdout.buffered": "false",
    "tracer.stdout.enable": "true",
    "authentication.fallback-admin.user": settings.admin.user,
    "authentication.fallback-admin.secret": file(settings.admin.hashFile),
    ...Object.assign({}, ...settings.relays.map(relayCredentialKeys)),
    ...acme,
    "spam-filter.resource":
      settings.spamRules === "none" ? `file://${NO_SPAM_RULES_FILE}` : settings.spamRules,
    // Pyzor's server is looked up at each start and reload; where it has no address the reload is refused as a whole.
    "spam-filter.pyzor.enable": String(settings.spamRules !== "none"),
    ...list("config.local-keys", [
      ...LOCAL_KEYS,
      ...settings.relays.filter((relay) => relay.auth).map((relay) => `queue.route.${relay.name}.auth.*`),
      ...Object.keys(acme),
    ]),
  };
}

/** Credentials must be in the file: a macro in a value from the data store is not expanded (boot.rs, reload.rs). */
function relayCredentialKeys(relay: StalwartSettings["relays"][number]): SettingKeys {
  if (!relay.auth) return {};
  const id = `queue.route.${relay.name}.auth`;
  return { [`${id}.username`]: relay.auth.username, [`${id}.secret`]: file(relay.auth.secretFile) };
}

/**
 * The keys that are written through the API.
 *
 * @example toSettingKeys(settings)["queue.route.smarthost.address"] === "mailbox.tail7b1641.ts.net"
 */
export function toSettingKeys(settings: StalwartSettings): SettingKeys {
  const keys: SettingKeys = {};
  for (const relay of settings.relays) {
    const id = `queue.route.${relay.name}`;
    keys[`${id}.type`] = "relay";
    keys[`${id}.address`] = relay.host;
    keys[`${id}.port`] = String(relay.port);
    keys[`${id}.protocol`] = "smtp";
    keys[`${id}.tls.implicit`] = String(relay.tls === "implicit");
    keys[`${id}.tls.allow-invalid-certs`] = String(relay.tls === "tailnet");
  }
  Object.assign(
    keys,
    ifBlock(
      "queue.strategy.route",
      [["is_local_domain('*', rcpt_domain)", "'local'"]],
      `'${settings.outbound.route}'`,
    ),
    tlsStrategies(settings),
    { "queue.connection.default.timeout.connect": `${settings.outbound.connectTimeout}s` },
    acmeSettingKeys(settings),
  );
  for (const ip of settings.allowedIps) keys[`server.allowed-ip.${ip}`] = "";
  return keys;
}

/**
 * TLS strategies of relays whose certificate is verified. Stalwart's own rule takes any certificate from the second attempt on
 * (`retry_num > 0 && last_error == 'tls'` → 'invalid-tls'), which would hand a relay's password to whoever stands in between.
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

/** An if-block: rules in order, and what holds when none matches; without rules a single value (expr/if_block.rs). */
function ifBlock(key: string, rules: [condition: string, then: string][], otherwise: string): SettingKeys {
  if (rules.length === 0) return { [key]: otherwise };
  const keys: SettingKeys = {};
  const at = (i: number) => `${key}.${String(i).padStart(4, "0")}`;
  rules.forEach(([condition, then], i) => {
    keys[`${at(i)}.if`] = condition;
    keys[`${at(i)}.then`] = then;
  });
  keys[`${at(rules.length)}.else`] = otherwise;
  return keys;
}

/**
 * The groups of keys that the given keys belong to. Whatever is live in one of them (see inGroup) and not declared is a hand edit.
 * Routes and TLS strategies count by name, so that ones which somebody else made are left alone; of an ACME client only its lists, since its
 * certificate lies beside them.
 *
 * @example ownedGroups({ "queue.route.smarthost.port": "587" }).includes("queue.route.smarthost") === true
 */
export function ownedGroups(keys: SettingKeys): string[] {
  const groups = new Set(OWNED_GROUPS);
  for (const key of Object.keys(keys)) {
    const group = /^(?:queue\.(?:route|tls)\.[^.]+|acme\.[^.]+\.(?:contact|domains))(?=\.)/.exec(key)?.[0];
    if (group) groups.add(group);
  }
  return [...groups].sort();
}

/** True for a key that is a group's own or lies below it. */
export function inGroup(key: string, group: string): boolean {
  return key === group || key.startsWith(`${group}.`);
}

/** In which order keys are written: routes and strategies that are named, then the rules that name them (lesson 14). */
export function writePhase(key: string): 0 | 1 {
  return key.startsWith("queue.strategy.") ? 1 : 0;
}
