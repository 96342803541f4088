import { allPolicies } from "../../policies/rules/index.ts";
import {
  runPolicy,
  runStackPolicy,
  secret,
  textAsset,
  UNKNOWN,
  type Outcome,
  type TestResource,
} from "./harness.ts";

/** What one policy says of one resource, or of the whole stack. */
export interface Said {
  readonly policy: string;
  /** {@link STACK} for what is said of the whole. */
  readonly resource: string;
  readonly outcome: Outcome;
}

export const STACK = "(stack)";

/**
 * All that every policy of the pack says of a stack.
 *
 * @param config policy → its settings
 */
export async function sayAll(
  resources: readonly TestResource[],
  config: Readonly<Record<string, Record<string, unknown>>> = {},
): Promise<Said[]> {
  const said: Said[] = [];
  for (const policy of allPolicies) {
    const { id, judgeResource, judgeStack } = policy;
    const options = { config: config[id] ?? {} };
    if (judgeResource)
      for (const one of resources)
        said.push({ policy: id, resource: one.name ?? "", outcome: await runPolicy(policy, one, options) });
    if (judgeStack)
      said.push({ policy: id, resource: STACK, outcome: await runStackPolicy(policy, resources, options) });
  }
  return said;
}

/** `{$secret: …}`, `{$asset: text}` and `{$unknown: true}` of a file, as the engine sends them. */
export function revived(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(revived);
  if ("$secret" in value) return secret(revived(value.$secret));
  if ("$asset" in value) return textAsset(String(value.$asset));
  if ("$unknown" in value) return UNKNOWN;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revived(inner)]));
}
