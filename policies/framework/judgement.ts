import type { Finding, Judgement, NotJudged } from "./policy.ts";
import { formatPath, UNKNOWN_AT_PREVIEW, type Gap } from "./values.ts";

/** The words in which rules judge, and what puts several judgements together. */
export const PASS: Judgement = { findings: [], notJudged: [] };
export const refuse = (...findings: readonly Finding[]): Judgement => ({ findings, notJudged: [] });
export const unjudged = (...notJudged: readonly NotJudged[]): Judgement => ({ findings: [], notJudged });
/** Places whose values are unknown at preview. */
export const unknown = (...places: readonly string[]): Judgement => unjudged(...places.map(gapAt));

export const gapAt = (where: string): NotJudged => ({ where, because: UNKNOWN_AT_PREVIEW });
export const gapOf = ({ path, because }: Gap): NotJudged => ({ where: formatPath(path), because });

export const merge = (...parts: readonly Judgement[]): Judgement => ({
  findings: parts.flatMap(({ findings }) => findings),
  notJudged: parts.flatMap(({ notJudged }) => notJudged),
});

/** What a stack policy says of one of its resources. */
export const at = (urn: string, { findings, notJudged }: Judgement): Judgement => ({
  findings: findings.map((finding) => ({ ...finding, urn })),
  notJudged: notJudged.map((gap) => ({ ...gap, urn })),
});
