/**
 * A mutant that behaves as the original does, so that no test can tell the two apart. Reviewed by
 * hand, one by one.
 */
export interface Equivalent {
  readonly file: string;
  /** The mutated code, as the report prints it. */
  readonly code: string;
  /** One change of it. Default: each. */
  readonly change?: string;
  readonly because: string;
}

export const equivalents: readonly Equivalent[] = [
  {
    file: "policies/rules/acme-dns-secret-present.ts",
    code: "!acme",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check is there for the compiler",
  },
  {
    file: "policies/rules/edge-never-banned.ts",
    code: "!proxy",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check is there for the compiler",
  },
  {
    file: "policies/rules/one-acme-client-per-name.ts",
    code: "!acme",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check is there for the compiler",
  },
  {
    file: "policies/rules/proxy-trust-is-narrow.ts",
    code: "!proxy",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check is there for the compiler",
  },
  {
    file: "policies/rules/wildcard-needs-dns01.ts",
    code: "!acme",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check is there for the compiler",
  },
  {
    file: "policies/rules/image-pinned-by-digest.ts",
    code: "judgeStack",
    change: "finds nothing",
    because: "judgeStack finds nothing by design: it only lists images that are unknown",
  },
  {
    file: "policies/rules/sidecar-waits-for-postgres.ts",
    code: "resource.type !== CONTAINER",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check saves reading their labels",
  },
  {
    file: "policies/rules/tailnet-flows-granted.ts",
    code: "dials.length === 0",
    change: "if (false)",
    because: "saves looking for the node of a resource that connects to nothing",
  },
  {
    file: "policies/rules/route-change-restarts.ts",
    code: "!/queue|Mta(?:Route|Outbound)/.test(text)",
    change: "if (false)",
    because: "saves parsing a file that has no word of a route in it",
  },
];
