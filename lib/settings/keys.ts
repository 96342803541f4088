/**
 * The desired state in the flat keys of Stalwart's 0.15 line, one string a key, so that a preview can show each change.
 *
 * Two places hold them. Keys of the config file ("local keys") are read at start only; the API lists them too, with macros unexpanded.
 * The rest lie in the data store and are written through /api/settings. Which is which: stalwart-lite 0.16.0 common/src/manager/config.rs, `Patterns`.
 */
import { acmeFileKeys, acmeSettingKeys } from "./acme-keys.ts";
import { refuseFor } from "./generations.ts";
import { file, list, type SettingKeys } from "./key-spelling.ts";
import { relayCredentialKeys, routeKeys } from "./route-keys.ts";
import type { StalwartSettings } from "./schema.ts";
import { storeKeys } from "./store-keys.ts";

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

/**
 * Nobody may send in another's name. The admin alone may send in nobody's, as the probe of a route does (provider/probe.ts): Stalwart calls the
 * admin of its config file by this name, which no account can have (directory/src/core/principal.rs).
 */
const SENDER_RULE = "!is_empty(sender) || authenticated_as != 'Fallback Administrator'";

/** The keys of the config file. @example toFileKeys(settings)["server.hostname"] === "mail.example.org" */
export function toFileKeys(settings: StalwartSettings): SettingKeys {
  refuseFor("settings", settings);
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
  for (const kind of ["auth", "abuse", "loiter", "scan"] as const)
    keys[`server.auto-ban.${kind}.rate`] = String(settings.autoBan[kind]);
  return {
    ...keys,
    ...storeKeys(settings),
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

/**
 * The keys that are written through the API.
 *
 * @example toSettingKeys(settings)["queue.route.smarthost.address"] === "mailbox.tail7b1641.ts.net"
 */
export function toSettingKeys(settings: StalwartSettings): SettingKeys {
  refuseFor("settings", settings);
  const keys: SettingKeys = {
    ...routeKeys(settings),
    "session.auth.must-match-sender": SENDER_RULE,
    ...acmeSettingKeys(settings),
    ...(settings.mtaSts && mtaStsKeys(settings.mtaSts)),
  };
  for (const ip of settings.allowedIps) keys[`server.allowed-ip.${ip}`] = "";
  return keys;
}

/** Source: stalwart-lite 0.16.0 common/src/config/smtp/resolver.rs, `Policy::try_parse`. */
function mtaStsKeys({ mode, maxAge, mx }: NonNullable<StalwartSettings["mtaSts"]>): SettingKeys {
  const id = "session.mta-sts";
  return { [`${id}.mode`]: mode, [`${id}.max-age`]: `${maxAge}d`, ...list(`${id}.mx`, mx) };
}

/**
 * The groups of keys that the given keys belong to. Whatever is live in one of them (see inGroup) and not declared is a hand edit.
 * Routes and TLS strategies count by name, so that ones which somebody else made are left alone; of an ACME client only its lists, since its
 * certificate lies beside them; MTA-STS only where a policy is declared.
 *
 * @example ownedGroups({ "queue.route.smarthost.port": "587" }).includes("queue.route.smarthost") === true
 */
export function ownedGroups(keys: SettingKeys): string[] {
  const groups = new Set(OWNED_GROUPS);
  for (const key of Object.keys(keys)) {
    const group =
      /^(?:queue\.(?:route|tls)\.[^.]+|acme\.[^.]+\.(?:contact|domains)|session\.mta-sts)(?=\.)/.exec(
        key,
      )?.[0];
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
