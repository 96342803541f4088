import { sample, type Sample } from "./figures.ts";

/**
 * What the policy pack may cost. Exceeding one makes `npm run bench -- policies` end with exit code
 * 1. What it costs once, whatever the size, is bound by the share that it has of a small preview;
 * what it costs for each resource, by how much longer its answers take than those of a pack that
 * reads and says nothing. How much longer each resource makes a preview is shown and not bound:
 * that silent pack, and so any, takes more than the bound.
 */
export const POLICY_BOUNDS = { share: 0.25, shareAt: 20, millisecondsEach: 1 } as const;

/** Times of one size. Milliseconds. */
export interface Times {
  /** Of previews. */
  readonly withoutPack: number[];
  /** With a pack that reads and says nothing. */
  readonly withSilent: number[];
  readonly withPack: number[];
  /**
   * Of a pack's answers to what the engine asks in such a preview: of the silent one, and of ours.
   */
  readonly silentAnswers: number[];
  readonly answers: number[];
}

export const noTimes = (): Times => ({
  withoutPack: [],
  withSilent: [],
  withPack: [],
  silentAnswers: [],
  answers: [],
});

/** What one size takes. Milliseconds. */
export interface PolicySize {
  resources: number;
  withoutPack: Sample;
  withSilent: Sample;
  withPack: Sample;
  silentAnswers: Sample;
  answers: Sample;
  /**
   * Of the previews, ours with less without: median of the differences, turn by turn, which what
   * else the machine does disturbs least.
   */
  difference: number;
  /** The same of the silent pack: what the engine takes to ask any. */
  silentDifference: number;
  /** difference / withoutPack, of the medians. */
  share: number;
  /**
   * Of the answers, ours less the silent pack's: what the policies take, with reading what they are
   * asked.
   */
  policies: number;
}

export interface PolicyFigures {
  sizes: PolicySize[];
  /**
   * What the policies take for each resource, and once: the line of least squares through the
   * sizes. Milliseconds.
   */
  each: number;
  once: number;
  /**
   * Slopes of the previews' differences, of ours and of the silent pack. Milliseconds a resource.
   */
  previewEach: number;
  silentEach: number;
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
      withSilent: sample(times.withSilent),
      withPack: sample(times.withPack),
      silentAnswers: sample(times.silentAnswers),
      answers: sample(times.answers),
      difference,
      silentDifference: between(times.withSilent, times.withoutPack),
      share: difference / withoutPack.median,
      policies: between(times.answers, times.silentAnswers),
    };
  });
  const lineOf = (figure: "difference" | "silentDifference" | "policies") =>
    lineThrough(sizes.map((size) => [size.resources, size[figure]]));
  return {
    sizes,
    previewEach: lineOf("difference").each,
    silentEach: lineOf("silentDifference").each,
    ...lineOf("policies"),
  };
}

/**
 * The line of least squares: its slope, and where it starts. @throws RangeError for points that are
 * all at one place
 */
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
export function describePolicies({ sizes, each, once, previewEach, silentEach }: PolicyFigures): string {
  const runsOf = (figure: "withPack" | "answers") => sizes.map((size) => size[figure].runs).join(", ");
  const row = ([first = "", ...others]: string[]) =>
    first.padStart(11) + others.map((text) => text.padStart(12)).join("");
  return [
    `previews, interleaved (medians, n = ${runsOf("withPack")})`,
    row(["resources", "without", "silent pack", "with ours", "difference", "share"]),
    ...sizes.map(({ resources, withoutPack, withSilent, withPack, difference, share }) => {
      const times = [withoutPack.median, withSilent.median, withPack.median, difference];
      return row([String(resources), ...times.map(secondsOf), percent(share)]);
    }),
    `answers to what the engine asks in them (medians, n = ${runsOf("answers")})`,
    row(["resources", "silent pack", "ours", "policies"]),
    ...sizes.map(({ resources, silentAnswers, answers, policies }) =>
      row([String(resources), ...[silentAnswers.median, answers.median, policies].map(secondsOf)]),
    ),
    "  silent pack: reads and says nothing, so what it takes to ask any",
    "  policies: our answers less those of the silent pack; by the line through the",
    `  sizes ${each.toFixed(2)} ms a resource, ${secondsOf(once)} once`,
    `  previews, by such a line: ${previewEach.toFixed(2)} ms a resource longer, silent pack ${silentEach.toFixed(2)}`,
    `  bounds: ${percent(POLICY_BOUNDS.share)} at ${POLICY_BOUNDS.shareAt} resources; ${POLICY_BOUNDS.millisecondsEach} ms a resource, of the policies`,
  ].join("\n");
}

const secondsOf = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
