import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";

const hostOf = (url: string): string => new URL(url).host;

/** What is wrong with accounts that are well-formed each: a CA is known by its directory's host. */
export function dnsProblems({ dns, acme }: Pick<Config, "dns" | "acme">): Problem[] {
  const hosts = new Set(acme.map(({ directory }) => hostOf(directory)));
  return dns.acmeAccounts.flatMap((account, i) =>
    hosts.has(hostOf(account))
      ? []
      : [
          {
            path: keyPath(["dns", "acmeAccounts", i]),
            message: `is at ${hostOf(account)}, where no client of acme orders; accepts accounts at ${[...hosts].join(", ") || "the CA of a client, and acme has none"}`,
          },
        ],
  );
}
