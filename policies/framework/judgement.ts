import type { Judgement, NotJudged } from "./policy.ts";
import { UNKNOWN_AT_PREVIEW } from "./values.ts";

/** Nothing is wrong, and nothing is open. */
export const PASS: Judgement = { findings: [], notJudged: [] };

/** Several judgements as one. */
export const merge = (judgements: readonly Judgement[]): Judgement => ({
  findings: judgements.flatMap(({ findings }) => findings),
  notJudged: judgements.flatMap(({ notJudged }) => notJudged),
});

/**
 * A value that a preview does not know.
 *
 * @param where property path within the resource
 * @param urn the resource, where a stack policy judges several
 */
export const unknownAt = (where: string, urn?: string): NotJudged => ({
  where,
  because: UNKNOWN_AT_PREVIEW,
  ...(urn !== undefined && { urn }),
});
