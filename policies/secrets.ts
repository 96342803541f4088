import { type ResourceRemediation, Secret } from "@pulumi/policy";

import type { Path } from "./visit.ts";

/**
 * Tells where a resource's secrets are. A validation gets them as plain text, with no mark (deserialize.js of @pulumi/policy); a
 * remediation, which the engine asks first, gets them marked. So a policy at the level "remediate" that changes nothing may look
 * there, and judge afterwards: the SDK then reports what it finds as mandatory (server.js, makeAnalyzeRpcFun).
 */
export function secretsOfResources(): {
  remember: ResourceRemediation;
  of: (urn: string) => readonly Path[] | undefined;
} {
  const seen = new Map<string, readonly Path[]>();
  return {
    remember: ({ urn, props }) => void seen.set(urn, secretPathsOf(props)),
    of: (urn) => seen.get(urn),
  };
}

/** Paths of the values that are secrets; what lies below one is not visited. */
export function secretPathsOf(props: object): Path[] {
  const paths: Path[] = [];
  const visit = (value: unknown, path: Path): void => {
    if (value instanceof Secret) return void paths.push(path);
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      // Reading the property would unwrap a secret and throw at an unknown value: both proxies stand in the way of `get` alone.
      const inner: unknown = Object.getOwnPropertyDescriptor(value, key)?.value;
      visit(inner, [...path, Array.isArray(value) ? Number(key) : key]);
    }
  };
  visit(props, []);
  return paths;
}
