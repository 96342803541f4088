import type { PolicyDefinition } from "./definition.ts";
import { noHardcodedTailnetIp } from "./no-hardcoded-tailnet-ip.ts";
import { relayTargetIpv4Only } from "./relay-target-ipv4-only.ts";
import { sidecarWaitsForPostgres } from "./sidecar-waits-for-postgres.ts";

/** A definition with any settings: the list does not care which. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- `Settings` stands in both directions of the functions
export type AnyPolicy = PolicyDefinition<any>;

/** Refuses a list in which one id stands twice: exceptions and config could not tell the two apart. */
export function withUniqueIds<Policy extends { readonly id: string }>(
  policies: readonly Policy[],
): readonly Policy[] {
  const seen = new Set<string>();
  for (const { id } of policies) {
    if (seen.has(id))
      throw new Error(`policies/all.ts lists two policies with the id "${id}"; give each its own`);
    seen.add(id);
  }
  return policies;
}

/** Every policy of the pack. */
export const allPolicies: readonly AnyPolicy[] = withUniqueIds<AnyPolicy>([
  noHardcodedTailnetIp,
  relayTargetIpv4Only,
  sidecarWaitsForPostgres,
]);
