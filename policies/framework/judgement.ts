import { formatPath, UNKNOWN_AT_PREVIEW, type Gap } from "./values.ts";

/** One thing that is wrong. None of the texts repeats a value that could be a secret. */
export interface Finding {
  /** Property path within the resource, such as `envs (SMARTHOST)`. */
  readonly where: string;
  /** What is wrong there. */
  readonly what: string;
  /** What to write instead. */
  readonly instead: string;
  /** The resource, where a stack policy judges several. */
  readonly urn?: string | undefined;
}

/** What could not be judged, mostly since it is unknown at preview. Never counted as good. */
export interface NotJudged {
  readonly where: string;
  readonly because: string;
  readonly urn?: string | undefined;
}

export interface Judgement {
  readonly findings: readonly Finding[];
  readonly notJudged: readonly NotJudged[];
}

/** What a judging function answers: its judgement, or why the resource does not concern it. */
export type Verdict = Judgement | { readonly notApplicable: string };

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
