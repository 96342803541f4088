import { hostOf } from "../../lib/acme-cas.ts";
import { DKIM_ALGORITHMS, type DkimAlgorithm } from "../../lib/dns/dkim.ts";
import { WRITERS } from "../../lib/dns/record-sets.ts";
import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";

/** What is wrong between keys of the DNS that are well-formed each. */
export const dnsProblems = (
  config: Pick<Config, "dns" | "acme" | "dkim" | "domains" | "dnsProvider" | "withoutGuards">,
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

function selectorProblems({
  dkim: { selectors },
  domains,
  withoutGuards,
}: Pick<Config, "dkim" | "domains" | "withoutGuards">): Problem[] {
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
  const signersBy = (wanted: DkimAlgorithm) =>
    selectors.flatMap(({ use, algorithm }, i) => (use === "sign" && algorithm === wanted ? [i] : []));
  const more = DKIM_ALGORITHMS.flatMap((algorithm) => {
    const [first = 0, ...others] = signersBy(algorithm);
    return others.map((i) => ({
      path: keyPath(["dkim", "selectors", i, "use"]),
      message: `is sign, as that of ${selectors[first]?.name}; accepts one of ${algorithm} that signs: publish this one, or retire the other`,
    }));
  });
  const alone = signersBy("rsa").length > 0 || withoutGuards[19] ? [] : signersBy("ed25519");
  const unknown = alone.map((i) => ({
    path: keyPath(["dkim", "selectors", i, "use"]),
    message:
      "is sign with a key of ed25519, and none of rsa signs: some large receivers know no ed25519, and fail what it alone has signed (lesson 19); accepts sign beside a selector of rsa that signs, else publish or retire",
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
  return [...twice, ...more, ...unknown, ...both];
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
