/**
 * The desired state in the flat keys of Stalwart's 0.15 line, one string a key, so that a preview
 * can show each change.
 *
 * Two places hold them. Keys of the config file ("local keys") are read at start only; the API
 * lists them too, with macros unexpanded. The rest lie in the data store and are written through
 * /api/settings. Which is which: stalwart-lite 0.16.0 common/src/manager/config.rs, `Patterns`.
 */
import { acmeFileKeys, acmeSettingKeys } from "./acme.ts";
import { type Download, sourceOf } from "../downloads.ts";
import { endpointRules, REFUSED } from "../endpoints.ts";
import { refuseFor } from "../unsupported.ts";
import { ifBlock, list, type SettingKeys } from "./spelling.ts";
import { relayCredentialKeys, routeKeys } from "./routes.ts";
import { signatureKeys, signaturePatterns, signingKeys } from "./signing.ts";
import type { StalwartSettings } from "../schema.ts";
import { LOGIN_REQUIRED, RELAYING } from "../submission.ts";
import { storeKeys } from "./stores.ts";

export type { SettingKeys } from "./spelling.ts";

/**
 * The key that is written last: an entrypoint that finds it in the data store knows that everything
 * before it is there. Stalwart ignores keys that it does not know (utils/src/config/mod.rs tells of
 * them in debug builds alone).
 */
export const APPLIED_KEY = "tailwart.applied";

/**
 * Where Stalwart finds the spam filter's rules when none are wanted; see files.ts of lib/stalwart.
 */
export const NO_SPAM_RULES_FILE = "/etc/stalwart/spam-filter.toml";
/**
 * A file that is not there: Stalwart notes at each start that it has no admin UI, and asks nobody
 * for one.
 */
const NO_ADMIN_UI_FILE = "/etc/stalwart/no-admin-ui";

/**
 * Which keys belong to the config file. Naming any replaces Stalwart's own list, which is therefore
 * repeated here; those after the licence are tailwart's. An entry is a whole key, or a beginning
 * that ends in `*`, or what an `!` takes out.
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
  "http.allowed-endpoint*",
  "asn.*",
  "spam-filter.resource",
  "spam-filter.pyzor.enable",
  "webadmin.resource",
];

/**
 * Groups that the deploy owns as a whole: a key that is in one of them and not declared is a hand
 * edit. A bare `queue.strategy.route` counts too: Stalwart takes it before the rules below it.
 */
const OWNED_GROUPS = ["queue.strategy.route", "queue.strategy.tls", "server.allowed-ip", "session.mta-sts"];

/**
 * The keys of the config file.
 * @example toFileKeys(settings)["server.hostname"] === "mail.example.org"
 */
export function toFileKeys(settings: StalwartSettings): SettingKeys {
  refuseFor("keys", settings);
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
    ...Object.assign({}, ...settings.relays.map(relayCredentialKeys)),
    ...acme,
    ...signatureKeys(settings),
    // In the file, so that it holds from the first start on and no API can take it away.
    ...ifBlock("http.allowed-endpoint", endpointRules(settings, "url_path"), REFUSED),
    "spam-filter.resource": fetched("spamRules", settings.spamRules, NO_SPAM_RULES_FILE),
    "webadmin.resource": fetched("webUi", settings.webUi, NO_ADMIN_UI_FILE),
    // Upstream's rules bring both along. Pyzor's server is looked up at each start and reload, and
    // where it has no address the reload is refused as a whole; the tables of addresses are four
    // more downloads at each start.
    "spam-filter.pyzor.enable": "false",
    ...tableKeys(settings),
    ...list("config.local-keys", [
      ...LOCAL_KEYS,
      ...settings.relays.filter((relay) => relay.auth).map((relay) => `queue.route.${relay.name}.auth.*`),
      ...Object.keys(acme),
      ...signaturePatterns(settings.dkim),
    ]),
  };
}

/** Source: 0.15.5 common/src/config/network.rs, `AsnGeoLookupConfig::parse`. */
function tableKeys({ geo }: StalwartSettings): SettingKeys {
  if (geo === "none") return { "asn.type": "disabled" };
  return {
    "asn.type": "resource",
    ...list("asn.urls.asn", geo.asnUrls),
    ...list("asn.urls.geo", geo.geoUrls),
  };
}

const fetched = (download: Download, wanted: string, without: string): string =>
  sourceOf(download, wanted, "keys") ?? `file://${without}`;

/**
 * The keys that are written through the API.
 *
 * @example toSettingKeys(settings)["queue.route.smarthost.address"] === "mailbox.tail7b1641.ts.net"
 */
export function toSettingKeys(settings: StalwartSettings): SettingKeys {
  refuseFor("keys", settings);
  const keys: SettingKeys = {
    ...routeKeys(settings),
    ...ifBlock("session.auth.require", LOGIN_REQUIRED.rules, LOGIN_REQUIRED.otherwise),
    ...ifBlock("session.rcpt.relay", RELAYING.rules, RELAYING.otherwise),
    ...acmeSettingKeys(settings),
    ...mtaStsKeys(settings),
    ...signingKeys(settings),
  };
  for (const ip of settings.allowedIps) keys[`server.allowed-ip.${ip}`] = "";
  keys[APPLIED_KEY] = "true";
  return keys;
}

/**
 * Without hosts the server would tell senders the names of its certificates, a domain's among them,
 * which is no MX. Source: stalwart-lite 0.16.0 common/src/config/smtp/resolver.rs,
 * `Policy::try_parse` and `build_mta_sts_policy`.
 */
function mtaStsKeys({ mtaSts: { mode, maxAge, mx }, hostname }: StalwartSettings): SettingKeys {
  const id = "session.mta-sts";
  const hosts = mx.length > 0 ? mx : [hostname];
  return { [`${id}.mode`]: mode, [`${id}.max-age`]: `${maxAge}d`, ...list(`${id}.mx`, hosts) };
}

/**
 * The groups of keys that the given keys belong to. Whatever is live in one of them (see inGroup)
 * and not declared is a hand edit. Routes and TLS strategies count by name, so that ones which
 * somebody else made are left alone; of an ACME client only its lists, since its certificate lies
 * beside them.
 *
 * @example
 * ownedGroups({ "queue.route.smarthost.port": "587" }).includes("queue.route.smarthost") === true
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

/**
 * In which order keys are written: what is named, then the rules that name it (lesson 14), and
 * after the reload the marker.
 */
export function writePhase(key: string): 0 | 1 | 2 {
  if (key === APPLIED_KEY) return 2;
  return key.startsWith("queue.strategy.") ? 1 : 0;
}
