import { sample, type Sample } from "./figures.ts";

/** What the policy pack may cost (issue 4). Exceeding one makes `npm run bench -- policies` end with exit code 1. */
export const POLICY_BOUNDS = { share: 0.25, shareAt: 20, millisecondsEach: 1 } as const;

/** Previews of one size. Milliseconds. */
export interface PolicySize {
  resources: number;
  withoutPack: Sample;
  withPack: Sample;
  /** Median of the differences, turn by turn, which what else the machine does disturbs least. */
  difference: number;
  /** difference / withoutPack, of the medians. */
  share: number;
  /** difference / resources. */
  each: number;
}

export interface PolicyFigures {
  sizes: PolicySize[];
  /** Milliseconds that one more resource costs, between the smallest and the largest size: without the pack's start. */
  oneMore: number;
}

type Taken = ReadonlyMap<
  number,
  { readonly withPack: readonly number[]; readonly withoutPack: readonly number[] }
>;

/** Figures from the times of each run, by size. */
export function policyFigures(taken: Taken): PolicyFigures {
  const sizes = [...taken].map(([resources, times]) => {
    const withoutPack = sample(times.withoutPack);
    const withPack = sample(times.withPack);
    const differences = times.withPack.map((took, turn) => took - (times.withoutPack[turn] ?? 0));
    const difference = sample(differences).median;
    return {
      resources,
      withoutPack,
      withPack,
      difference,
      share: difference / withoutPack.median,
      each: difference / resources,
    };
  });
  const [smallest, largest] = [sizes[0], sizes.at(-1)];
  const more = (largest?.resources ?? 0) - (smallest?.resources ?? 0);
  const oneMore = more > 0 ? ((largest?.difference ?? 0) - (smallest?.difference ?? 0)) / more : NaN;
  return { sizes, oneMore };
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
export function describePolicies({ sizes, oneMore }: PolicyFigures): string {
  const runs = sizes.map(({ withPack }) => withPack.runs).join(", ");
  const cells = (...texts: string[]) =>
    texts.map((text, column) => text.padStart([11, 13, 13, 13, 9, 15][column] ?? 0)).join("");
  return [
    `preview with and without the policy pack, interleaved (medians, n = ${runs})`,
    cells("resources", "without", "with", "difference", "share", "each resource"),
    ...sizes.map(({ resources, withoutPack, withPack, difference, share, each }) =>
      cells(
        String(resources),
        secondsOf(withoutPack.median),
        secondsOf(withPack.median),
        secondsOf(difference),
        percent(share),
        `${each.toFixed(2)} ms`,
      ),
    ),
    `  one more resource: ${oneMore.toFixed(2)} ms; the rest is the pack's start`,
    `  bounds: ${percent(POLICY_BOUNDS.share)} at ${POLICY_BOUNDS.shareAt} resources, ${POLICY_BOUNDS.millisecondsEach} ms a resource at more`,
  ].join("\n");
}

const secondsOf = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
