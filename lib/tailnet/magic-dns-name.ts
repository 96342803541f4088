/**
 * The technical names that lead to Stalwart's own web endpoints, below each mail domain (lesson 5):
 * the policy of MTA-STS (RFC 8461), and how mail programs find their settings: Thunderbird,
 * Outlook, and whoever follows draft-ietf-mailmaint-pacc (ua-auto-config; Stalwart 0.16 puts it
 * into its certificates and DNS records).
 */
const TECHNICAL_LABELS = ["mta-sts", "autoconfig", "autodiscover", "ua-auto-config"];

/** @example technicalNames("example.org")[0] === "mta-sts.example.org" */
export const technicalNames = (domain: string): string[] =>
  TECHNICAL_LABELS.map((label) => `${label}.${domain}`);

/** A domain whose mail is taken, and further names under which its server is known. */
export interface MailDomain {
  name: string;
  hosts?: readonly string[];
}

/**
 * The names whose TLS on :443 the edge passes through to Stalwart without ending it.
 *
 * @example
 * passthroughNames("mail.example.org", [{ name: "example.org" }])[1] === "mta-sts.example.org"
 */
export function passthroughNames(mailHost: string, domains: readonly MailDomain[]): string[] {
  const names = domains.flatMap(({ name, hosts = [] }) => [...hosts, ...technicalNames(name)]);
  return [...new Set([mailHost, ...names])];
}

/**
 * A machine's MagicDNS name in full: `stalwart` → `stalwart.tail7b1641.ts.net`; a full name stays
 * as it is.
 */
export function magicDnsName(host: string, tailnetDomain: string): string {
  return host.includes(".") ? host : `${host}.${tailnetDomain}`;
}
