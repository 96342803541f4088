/** The technical names that lead to Stalwart's own web endpoints, below the mail domain (lesson 5). */
const TECHNICAL_LABELS = ["mta-sts", "autoconfig", "autodiscover"];

/**
 * The names whose TLS on :443 the edge passes through to Stalwart without ending it.
 *
 * @example passthroughNames("mail.example.org", "example.org")[1] === "mta-sts.example.org"
 */
export function passthroughNames(mailHost: string, mailDomain: string): string[] {
  return [mailHost, ...TECHNICAL_LABELS.map((label) => `${label}.${mailDomain}`)];
}

/** A machine's MagicDNS name in full: `stalwart` → `stalwart.tail7b1641.ts.net`; a full name stays as it is. */
export function magicDnsName(host: string, tailnetDomain: string): string {
  return host.includes(".") ? host : `${host}.${tailnetDomain}`;
}
