/** CAA records as CAs read them (RFC 8659 §4, RFC 8657). */
import { hostOf, issuersOf } from "../../../lib/acme-cas.ts";

/** What one record says. */
export interface Caa {
  /** In lower case, such as `issue`. */
  readonly tag: string;
  /** What the CA calls itself; "" for none at all. */
  readonly issuer: string;
  /** Account and methods that it is limited to; none for any. */
  readonly account: string | undefined;
  readonly methods: readonly string[] | undefined;
}

/**
 * Reads a value, with or without quotes.
 *
 * @returns undefined for what is no CAA record
 * @example caaOf('0 issue "ca.example; accounturi=https://ca.example/acct/1"')
 */
export function caaOf(text: string): Caa | undefined {
  const [, tag = "", quoted, bare = ""] = /^\s*\d+\s+([a-z0-9]+)\s+(?:"(.*)"|(.*?))\s*$/i.exec(text) ?? [];
  if (tag === "") return undefined;
  // Copied from a zone file, semicolons may still be escaped.
  const [issuer = "", ...rest] = (quoted ?? bare).replaceAll("\\;", ";").split(";");
  const parameters = new Map(
    rest.map((part) => {
      const [name = "", value = ""] = part.split(/=(.*)/s).map((side) => side.trim());
      return [name.toLowerCase(), value] as const;
    }),
  );
  return {
    tag: tag.toLowerCase(),
    issuer: issuer.trim().toLowerCase().replace(/\.$/, ""),
    account: parameters.get("accounturi"),
    methods: parameters
      .get("validationmethods")
      ?.split(",")
      .map((method) => method.trim().toLowerCase()),
  };
}

/** Who orders a certificate. */
export interface Orderer {
  /** The CA's directory. */
  readonly directory: string;
  /** By what the name is proved, where that is known. */
  readonly challenge: string | undefined;
  /** URLs of the accounts that may order; none where they are not known. */
  readonly accounts: readonly string[];
}

/** CAs that heed accounts and methods, as their own pages say (RFC 8657 is no duty). */
const HEED = new Set(["letsencrypt.org", "pki.goog"]);

/**
 * Whether a record lets a CA sign for somebody: "yes", why it does not, or undefined where that is
 * not known.
 */
export function lets(
  { issuer, account, methods }: Caa,
  { directory, challenge, accounts }: Orderer,
): "yes" | { readonly not: string } | undefined {
  const issuers = issuersOf(directory);
  if (issuers.length === 0) return undefined;
  if (!issuers.includes(issuer)) return { not: issuer === "" ? "lets no CA sign" : `lets ${issuer} sign` };
  if (account === undefined && methods === undefined) return "yes";
  if (!HEED.has(issuer)) return undefined;
  if (methods && challenge !== undefined && !methods.includes(challenge))
    return { not: `lets the name be proved by ${methods.join(", ")} alone` };
  if (account === undefined) return methods && challenge === undefined ? undefined : "yes";
  return ofAccount(account, directory, accounts);
}

function ofAccount(account: string, directory: string, accounts: readonly string[]): ReturnType<typeof lets> {
  const here = hostOf(directory);
  const known = accounts.filter((one) => hostOf(one) === here);
  if (known.includes(account)) return "yes";
  const of = hostOf(account);
  // An account of another CA of those that are known; a CA may well have further hosts.
  if (of !== here && issuersOf(account).length === 0) return undefined;
  if (of === here && known.length === 0) return undefined;
  return { not: `lets the account ${account} order` };
}
