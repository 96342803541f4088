import { sample, type Sample } from "./figures.ts";

/**
 * What the policy pack may cost: the share of a small preview, most of which it takes once.
 * Exceeding it makes `npm run bench -- policies` end with exit code 1.
 */
export const POLICY_BOUNDS = { share: 0.25, shareAt: 20 } as const;

/** Times of one size's previews. Milliseconds. */
export interface Times {
  readonly withoutPack: number[];
  readonly withPack: number[];
}

/** What one size takes. Milliseconds. */
export interface PolicySize {
  resources: number;
  withoutPack: Sample;
  withPack: Sample;
  /** Median of the differences, turn by turn, which what else the machine does disturbs least. */
  difference: number;
  /** difference / withoutPack, of the medians. */
  share: number;
}

/** Figures from the times of each run, by size. */
export const policyFigures = (taken: ReadonlyMap<number, Times>): PolicySize[] =>
  [...taken].map(([resources, times]) => {
    const withoutPack = sample(times.withoutPack);
    const longer = times.withPack.map((took, turn) => took - (times.withoutPack[turn] ?? 0));
    const difference = sample(longer).median;
    const share = difference / withoutPack.median;
    return { resources, withoutPack, withPack: sample(times.withPack), difference, share };
  });

/** Which bounds the figures exceed, in words. */
export const exceededByPolicies = (sizes: readonly PolicySize[]): string[] =>
  sizes
    .filter(({ resources, share }) => resources <= POLICY_BOUNDS.shareAt && share > POLICY_BOUNDS.share)
    .map(
      ({ resources, share }) =>
        `the pack makes the preview of ${resources} resources ${percent(share)} longer, more than ${percent(POLICY_BOUNDS.share)}`,
    );

/** The figures as a person reads them, 80 columns wide. */
export function describePolicies(sizes: readonly PolicySize[]): string {
  const row = ([first = "", ...others]: string[]) =>
    first.padStart(11) + others.map((text) => text.padStart(14)).join("");
  return [
    `previews, in turns (medians, n = ${sizes.map(({ withPack }) => withPack.runs).join(", ")})`,
    row(["resources", "without pack", "with it", "difference", "share"]),
    ...sizes.map(({ resources, withoutPack, withPack, difference, share }) =>
      row([
        String(resources),
        ...[withoutPack.median, withPack.median, difference].map(secondsOf),
        percent(share),
      ]),
    ),
    `  bound: ${percent(POLICY_BOUNDS.share)} at ${POLICY_BOUNDS.shareAt} resources`,
  ].join("\n");
}

const secondsOf = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
