import { hostOf } from "../../lib/acme-cas.ts";
import { WRITERS } from "../../lib/dns/record-sets.ts";
import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";

/** What is wrong between keys of the DNS that are well-formed each. */
export const dnsProblems = (
  config: Pick<Config, "dns" | "acme" | "dkim" | "domains" | "dnsProvider">,
): Problem[] => [...writeProblems(config), ...accountProblems(config), ...selectorProblems(config)];

function writeProblems({ dns, dnsProvider }: Pick<Config, "dns" | "dnsProvider">): Problem[] {
  if (!dns.write || WRITERS.some((type) => type === dnsProvider?.type)) return [];
  const is = dnsProvider ? `tailwart:dnsProvider is ${dnsProvider.type}` : "there is no tailwart:dnsProvider";
  return [
    {
      path: keyPath(["dns", "write"]),
      message: `is true, and ${is}; accepts true with a tailwart:dnsProvider of type ${WRITERS.join(", ")}, else false: npm run dns prints the records`,
    },
  ];
}

function selectorProblems({ dkim: { selectors }, domains }: Pick<Config, "dkim" | "domains">): Problem[] {
  const twice = selectors.flatMap(({ name }, i) =>
    selectors.findIndex((other) => other.name === name) === i
      ? []
      : [
          {
            path: keyPath(["dkim", "selectors", i, "name"]),
            message: "is among the selectors already; accepts each once",
          },
        ],
  );
  const signers = selectors.flatMap(({ use }, i) => (use === "sign" ? [i] : []));
  const more = signers.slice(1).map((i) => ({
    path: keyPath(["dkim", "selectors", i, "use"]),
    message: `is sign, as that of ${selectors[signers[0] ?? 0]?.name}; accepts one that signs: publish this one, or retire the other`,
  }));
  const both = domains.flatMap(({ publishRecords }, i) =>
    selectors.length > 0 && publishRecords.includes("dkim")
      ? [
          {
            path: keyPath(["domains", i, "publishRecords"]),
            message:
              "has dkim, with which Stalwart makes keys of its own, and dkim.selectors has others; accepts one of the two",
          },
        ]
      : [],
  );
  return [...twice, ...more, ...both];
}

/** A CA is known by its directory's host. */
function accountProblems({ dns, acme }: Pick<Config, "dns" | "acme">): Problem[] {
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
