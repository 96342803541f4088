import { sample, type Sample } from "./figures.ts";

/**
 * What the policy pack may cost (issue 4). Exceeding one makes `npm run bench -- policies` end with exit code 1. What it costs once, whatever the
 * size, is bound by the share that it has of a small preview; what the policies cost for each resource, by the slope through all sizes. How much
 * longer each resource makes a preview is shown and not bound: a server that reads nothing, and so any pack, takes most of it.
 */
export const POLICY_BOUNDS = { share: 0.25, shareAt: 20, millisecondsEach: 1 } as const;

/** Times of one size. Milliseconds. */
export interface Times {
  /** Of previews. */
  readonly withoutPack: number[];
  readonly withPack: number[];
  /** Of a pack's answers to what the engine asks in such a preview: of one that has no policy, and of ours. */
  readonly emptyAnswers: number[];
  readonly answers: number[];
}

export const noTimes = (): Times => ({ withoutPack: [], withPack: [], emptyAnswers: [], answers: [] });

/** What one size takes. Milliseconds. */
export interface PolicySize {
  resources: number;
  withoutPack: Sample;
  withPack: Sample;
  emptyAnswers: Sample;
  answers: Sample;
  /** Of the previews: median of the differences, turn by turn, which what else the machine does disturbs least. */
  difference: number;
  /** difference / withoutPack, of the medians. */
  share: number;
  /** The same of the answers: what the policies take, and not the engine's questions or the SDK, which any pack costs. */
  policies: number;
}

export interface PolicyFigures {
  sizes: PolicySize[];
  /** What the policies take for each resource, and once: the line of least squares through the sizes. Milliseconds. */
  each: number;
  once: number;
  /** The slope of the previews' differences: what the engine takes to ask any pack is in it. Milliseconds a resource. */
  previewEach: number;
}

/** Figures from the times of each run, by size. */
export function policyFigures(taken: ReadonlyMap<number, Times>): PolicyFigures {
  const sizes = [...taken].map(([resources, times]) => {
    const between = (longer: readonly number[], shorter: readonly number[]) =>
      sample(longer.map((took, turn) => took - (shorter[turn] ?? 0))).median;
    const withoutPack = sample(times.withoutPack);
    const difference = between(times.withPack, times.withoutPack);
    return {
      resources,
      withoutPack,
      withPack: sample(times.withPack),
      emptyAnswers: sample(times.emptyAnswers),
      answers: sample(times.answers),
      difference,
      share: difference / withoutPack.median,
      policies: between(times.answers, times.emptyAnswers),
    };
  });
  const { each: previewEach } = lineThrough(
    sizes.map(({ resources, difference }) => [resources, difference]),
  );
  return {
    sizes,
    previewEach,
    ...lineThrough(sizes.map(({ resources, policies }) => [resources, policies])),
  };
}

/** The line of least squares: its slope, and where it starts. @throws RangeError for points that are all at one place */
function lineThrough(points: readonly (readonly [x: number, y: number])[]): { each: number; once: number } {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  const spread = mean(points.map(([at]) => (at - x) ** 2));
  if (!(spread > 0)) throw new RangeError("a slope needs two sizes");
  const each = mean(points.map(([at, value]) => (at - x) * (value - y))) / spread;
  return { each, once: y - each * x };
}

/** Which bounds the figures exceed, in words. */
export function exceededByPolicies({ sizes, each }: PolicyFigures): string[] {
  const found = sizes
    .filter(({ resources, share }) => resources <= POLICY_BOUNDS.shareAt && share > POLICY_BOUNDS.share)
    .map(
      ({ resources, share }) =>
        `the pack makes the preview of ${resources} resources ${percent(share)} longer, more than ${percent(POLICY_BOUNDS.share)}`,
    );
  if (each > POLICY_BOUNDS.millisecondsEach)
    found.push(
      `the policies take ${each.toFixed(2)} ms for each resource, more than ${POLICY_BOUNDS.millisecondsEach} ms`,
    );
  return found;
}

/** The figures as a person reads them, 80 columns wide. */
export function describePolicies({ sizes, each, once, previewEach }: PolicyFigures): string {
  const runs = sizes.map(({ withPack }) => withPack.runs).join(", ");
  const cells = (...texts: string[]) =>
    texts.map((text, column) => text.padStart([9, 10, 10, 12, 8, 10, 9, 11][column] ?? 0)).join("");
  return [
    `previews with and without the policy pack, interleaved (medians, n = ${runs})`,
    cells("resources", "without", "with", "difference", "share", "answers", "empty", "policies"),
    ...sizes.map(({ resources, withoutPack, withPack, difference, share, answers, emptyAnswers, policies }) =>
      cells(
        String(resources),
        secondsOf(withoutPack.median),
        secondsOf(withPack.median),
        secondsOf(difference),
        percent(share),
        secondsOf(answers.median),
        secondsOf(emptyAnswers.median),
        secondsOf(policies),
      ),
    ),
    "  answers: the pack's to what a preview asks; empty: those of a pack with no",
    "  policy, so what any pack takes; policies: the difference of the two",
    `  policies, by the line through the sizes: ${each.toFixed(2)} ms a resource, ${secondsOf(once)} once`,
    `  previews, with less without, by the same line: ${previewEach.toFixed(2)} ms a resource`,
    `  bounds: ${percent(POLICY_BOUNDS.share)} at ${POLICY_BOUNDS.shareAt} resources; ${POLICY_BOUNDS.millisecondsEach} ms a resource, of the policies`,
  ].join("\n");
}

const secondsOf = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
