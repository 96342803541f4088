/** A mutant that behaves as the original does, so that no test can tell the two apart. Reviewed by hand, one by one. */
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
    file: "policies/acme-dns-secret-present.ts",
    code: "!acme",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check is there for the compiler",
  },
  {
    file: "policies/edge-never-banned.ts",
    code: "!proxy",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check is there for the compiler",
  },
  {
    file: "policies/one-acme-client-per-name.ts",
    code: "!acme",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check is there for the compiler",
  },
  {
    file: "policies/proxy-trust-is-narrow.ts",
    code: "!proxy",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check is there for the compiler",
  },
  {
    file: "policies/wildcard-needs-dns01.ts",
    code: "!acme",
    change: "if (false)",
    because: "resourceTypes keeps resources of other types from it; the check is there for the compiler",
  },
  {
    file: "policies/image-pinned-by-digest.ts",
    code: "judgeStack",
    change: "finds nothing",
    because: "judgeStack finds nothing by design: it only lists images that are unknown",
  },
];
