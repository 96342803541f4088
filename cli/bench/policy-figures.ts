import { sample, type Sample } from "./figures.ts";

/** What the policy pack may cost (issue 4). Exceeding one makes `npm run bench -- policies` end with exit code 1. */
export const POLICY_BOUNDS = { share: 0.25, shareAt: 20, millisecondsEach: 1 } as const;

/** Times of previews of one size. Milliseconds. */
export interface Times {
  readonly withoutPack: number[];
  /** With a pack that has no policy: what the engine and the SDK take for any pack. */
  readonly emptyPack: number[];
  readonly withPack: number[];
}

export const noTimes = (): Times => ({ withoutPack: [], emptyPack: [], withPack: [] });

/** Previews of one size. Milliseconds. */
export interface PolicySize {
  resources: number;
  withoutPack: Sample;
  emptyPack: Sample;
  withPack: Sample;
  /** Median of the differences, turn by turn, which what else the machine does disturbs least. */
  difference: number;
  /** The same for the pack without a policy. */
  emptyDifference: number;
  /** difference / withoutPack, of the medians. */
  share: number;
  /** What the policies themselves take of the difference, by resource. */
  each: number;
}

export interface PolicyFigures {
  sizes: PolicySize[];
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
      emptyPack: sample(times.emptyPack),
      withPack: sample(times.withPack),
      difference,
      emptyDifference: between(times.emptyPack, times.withoutPack),
      share: difference / withoutPack.median,
      each: between(times.withPack, times.emptyPack) / resources,
    };
  });
  return { sizes };
}

/** Which bounds the figures exceed, in words. */
export function exceededByPolicies({ sizes }: PolicyFigures): string[] {
  return sizes.flatMap(({ resources, share, each }) => {
    if (resources <= POLICY_BOUNDS.shareAt)
      return share > POLICY_BOUNDS.share
        ? [
            `the pack makes the preview of ${resources} resources ${percent(share)} longer, more than ${percent(POLICY_BOUNDS.share)}`,
          ]
        : [];
    return each > POLICY_BOUNDS.millisecondsEach
      ? [
          `the pack takes ${each.toFixed(2)} ms for each of ${resources} resources, more than ${POLICY_BOUNDS.millisecondsEach} ms`,
        ]
      : [];
  });
}

/** The figures as a person reads them, 80 columns wide. */
export function describePolicies({ sizes }: PolicyFigures): string {
  const runs = sizes.map(({ withPack }) => withPack.runs).join(", ");
  const cells = (...texts: string[]) =>
    texts.map((text, column) => text.padStart([9, 11, 13, 12, 12, 8, 14][column] ?? 0)).join("");
  return [
    `preview with and without the policy pack, interleaved (medians, n = ${runs})`,
    cells("resources", "without", "empty pack", "our pack", "difference", "share", "policies each"),
    ...sizes.map(({ resources, withoutPack, emptyPack, withPack, difference, share, each }) =>
      cells(
        String(resources),
        secondsOf(withoutPack.median),
        secondsOf(emptyPack.median),
        secondsOf(withPack.median),
        secondsOf(difference),
        percent(share),
        `${each.toFixed(2)} ms`,
      ),
    ),
    "  policies each: our pack less one without a policy, for each resource; what any",
    "  pack takes is the engine's and the SDK's",
    `  bounds: ${percent(POLICY_BOUNDS.share)} at ${POLICY_BOUNDS.shareAt} resources, ${POLICY_BOUNDS.millisecondsEach} ms a resource at more`,
  ].join("\n");
}

const secondsOf = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
