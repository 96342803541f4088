import { sample, type Sample } from "./figures.ts";

/** What many domains may cost; exceeding it makes `npm run bench -- domains` end with code 1. */
export const DOMAIN_BOUNDS = { ratio: 2 } as const;

/** What previews take. Milliseconds. */
export interface DomainFigures {
  domains: number;
  one: Sample;
  many: Sample;
  /** Median of many / one, turn by turn, which what else the machine does disturbs least. */
  ratio: number;
}

/** Figures from the times of each turn, with one domain and with many. */
export const domainFigures = (
  domains: number,
  [one, many]: readonly [readonly number[], readonly number[]],
): DomainFigures => ({
  domains,
  one: sample(one),
  many: sample(many),
  ratio: sample(many.map((took, turn) => took / (one[turn] ?? NaN))).median,
});

/** Which bounds the figures exceed, in words. */
export const exceededByDomains = ({ domains, ratio }: DomainFigures): string[] =>
  ratio <= DOMAIN_BOUNDS.ratio
    ? []
    : [
        `the preview of ${domains} domains takes ${ratio.toFixed(2)} × that of one, more than ${DOMAIN_BOUNDS.ratio}`,
      ];

/** The figures as a person reads them, 80 columns wide. */
export function describeDomains({ domains, one, many, ratio }: DomainFigures): string {
  const row = (label: string, { median, min, max }: Sample) =>
    `  ${label.padEnd(14)}${[median, min, max].map((each) => `${(each / 1000).toFixed(2)} s`.padStart(10)).join("")}`;
  return [
    `previews with the policy pack, in turns (n = ${one.runs}): median, least, most`,
    row("1 domain", one),
    row(`${domains} domains`, many),
    `  ratio: ${ratio.toFixed(2)} (bound: ${DOMAIN_BOUNDS.ratio})`,
  ].join("\n");
}
