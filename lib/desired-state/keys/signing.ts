/**
 * What the 0.15 line signs by DKIM, and seals by ARC: what there is a key for. Its own expressions
 * name the keys `rsa-<domain>` and `ed25519-<domain>` for every domain, and where nobody has made
 * any, each message is logged with "DKIM signer not found". Keys are made in the admin UI, which
 * gives them these names; they sign from the next reload on, without a deploy. A key
 * `auth.dkim.sign` that somebody has set by hand goes before these rules.
 * Source: stalwart-lite 0.16.0 common/src/config/smtp/auth.rs, report.rs, queue.rs.
 */
import { ifBlock, type SettingKeys } from "./spelling.ts";

/** Whose signatures may be declared by nobody, and are named after the server's own domain. */
const REPORTS = ["dsn", "dkim", "spf", "dmarc", "dmarc.aggregate", "tls.aggregate"];

/** The name of a key when it is there, else nothing. */
const keyOf = (algorithm: "rsa" | "ed25519", domain: string): string => {
  const stored = `config_get('signature.${algorithm}-${domain}.algorithm')`;
  return `if_then(is_empty(${stored}), '', '${algorithm}-${domain}')`;
};

/** Stalwart's own rule, for domains that somebody has made by hand. */
const OTHERS: [string, string] = [
  "is_local_domain('*', sender_domain)",
  "['rsa-' + sender_domain, 'ed25519-' + sender_domain]",
];

/** The domain's keys that are there. */
const keysOf = (domain: string): string => `winnow([${keyOf("rsa", domain)}, ${keyOf("ed25519", domain)}])`;

/**
 * The keys of the settings that say what is signed.
 *
 * @param domains names of all that are declared
 * @example signingKeys(["a.org"])["auth.dkim.sign.0000.if"] === "sender_domain == 'a.org'"
 */
export function signingKeys(domains: readonly string[]): SettingKeys {
  const rules = (condition: (domain: string) => string) =>
    domains.map((domain): [string, string] => [condition(domain), keysOf(domain)]);
  const own = (domain: string) => `config_get('report.domain') == '${domain}'`;
  const sealing = domains.map((domain): [string, string] => [
    `${own(domain)} && !is_empty(config_get('signature.rsa-${domain}.algorithm'))`,
    `'rsa-${domain}'`,
  ]);
  return {
    ...ifBlock("auth.dkim.sign", [...rules((domain) => `sender_domain == '${domain}'`), OTHERS], "false"),
    ...ifBlock("auth.arc.seal", sealing, "false"),
    ...Object.assign({}, ...REPORTS.map((report) => ifBlock(`report.${report}.sign`, rules(own), "false"))),
  } as SettingKeys;
}
