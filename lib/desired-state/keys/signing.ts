/**
 * What the 0.15 line signs by DKIM, and seals by ARC: by the declared selectors that sign, and
 * without one by what there is a key for. Its own expressions name the keys `rsa-<domain>` and
 * `ed25519-<domain>` for every domain, and where nobody has made any, each message is logged with
 * "DKIM signer not found". Those are made in the admin UI, which gives them these names; they sign
 * from the next reload on, without a deploy. A key `auth.dkim.sign` that somebody has set by hand
 * goes before these rules.
 * Source: stalwart-lite 0.16.0 common/src/config/smtp/auth.rs, report.rs, queue.rs.
 */
import { type DkimSelector, signersOf } from "../dkim.ts";
import type { StalwartSettings } from "../schema.ts";
import { file, ifBlock, type SettingKeys } from "./spelling.ts";

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
 * The id of a selector's signature for a domain. Without a dot: of two ids of which one goes on
 * after a dot where the other ends the server mixes the keys up (auth.rs takes them as sorted).
 */
const idOf = (selector: string, domain: string) => `${selector}_${domain.replaceAll(".", "_")}`;

/**
 * The keys of the config file that say by what may be signed: the private key is a file's, which is
 * read from there alone.
 *
 * @example signatureKeys(settings)["signature.tw2026_a_org.selector"] === "tw2026"
 */
export function signatureKeys({ dkim, domains }: Pick<StalwartSettings, "dkim" | "domains">): SettingKeys {
  const keys: SettingKeys = {};
  for (const { selector, algorithm = "rsa", keyFile } of dkim)
    for (const { name } of domains)
      Object.assign(keys, {
        [`signature.${idOf(selector, name)}.algorithm`]: `${algorithm}-sha256`,
        [`signature.${idOf(selector, name)}.canonicalization`]: "relaxed/relaxed",
        [`signature.${idOf(selector, name)}.domain`]: name,
        [`signature.${idOf(selector, name)}.private-key`]: file(keyFile),
        [`signature.${idOf(selector, name)}.selector`]: selector,
      });
  return keys;
}

/** Which of the store's keys {@link signatureKeys} are, as `config.local-keys` has it. */
export const signaturePatterns = (dkim: readonly DkimSelector[]): string[] =>
  dkim.map(({ selector }) => `signature.${selector}_*`);

/**
 * The keys of the settings that say what is signed.
 *
 * @example signingKeys(settings)["auth.dkim.sign.0000.if"] === "sender_domain == 'a.org'"
 */
export function signingKeys(settings: Pick<StalwartSettings, "dkim" | "domains">): SettingKeys {
  const domains = settings.domains.map(({ name }) => name);
  const signers = signersOf(settings.dkim).map(({ selector }) => selector);
  // A seal is one alone.
  const [signer] = signers;
  const by = (domain: string) =>
    signer === undefined
      ? keysOf(domain)
      : `[${signers.map((selector) => `'${idOf(selector, domain)}'`).join(", ")}]`;
  const rules = (condition: (domain: string) => string) =>
    domains.map((domain): [string, string] => [condition(domain), by(domain)]);
  const own = (domain: string) => `config_get('report.domain') == '${domain}'`;
  const sealing = domains.map((domain): [string, string] =>
    signer === undefined
      ? [`${own(domain)} && !is_empty(config_get('signature.rsa-${domain}.algorithm'))`, `'rsa-${domain}'`]
      : [own(domain), `'${idOf(signer, domain)}'`],
  );
  return {
    ...ifBlock("auth.dkim.sign", [...rules((domain) => `sender_domain == '${domain}'`), OTHERS], "false"),
    ...ifBlock("auth.arc.seal", sealing, "false"),
    ...Object.assign({}, ...REPORTS.map((report) => ifBlock(`report.${report}.sign`, rules(own), "false"))),
  } as SettingKeys;
}
