/** What the project promises. Exceeding one makes `npm run bench` end with exit code 1. */
export const BOUNDS = { upSeconds: 150, previewRatio: 2.5 } as const;

/** Milliseconds of each run, and what is said of them. */
export interface Sample {
  median: number;
  min: number;
  max: number;
  runs: number;
}

/**
 * One `npm run up`, or several: the whole, and each stage by its title in the order in which it
 * ran.
 */
export interface UpFigures {
  total: Sample;
  stages: { title: string; median: number }[];
}

export interface PreviewFigures {
  withPack: Sample;
  withoutPack: Sample;
  emptyProgram: Sample;
  /** withPack / emptyProgram, of the medians. */
  ratio: number;
  /**
   * Medians of the differences within each turn, which what else the machine does disturbs least.
   * Milliseconds.
   */
  shares: { pack: number; programAndProviders: number };
  /**
   * What the engine's log says of each plugin: from being looked up to its handshake. Milliseconds.
   */
  pluginStarts: { plugin: string; median: number }[];
}

export interface Figures {
  lab: string;
  /** Undefined where the lab was running before. */
  upFromNothing?: UpFigures;
  upAgain: UpFigures;
  preview: PreviewFigures;
}

/** @throws RangeError for no value at all */
export function sample(values: readonly number[]): Sample {
  if (values.length === 0) throw new RangeError("a median needs a value");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const at = (index: number) => sorted[index] ?? 0;
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1), runs: sorted.length };
}

/** Which bounds the figures exceed, in words. */
export function exceeded({ upFromNothing, preview }: Figures): string[] {
  const found: string[] = [];
  const up = upFromNothing && upFromNothing.total.median / 1000;
  if (up !== undefined && up > BOUNDS.upSeconds)
    found.push(`up from nothing takes ${up.toFixed(1)} s, more than ${BOUNDS.upSeconds} s`);
  if (preview.ratio > BOUNDS.previewRatio)
    found.push(
      `the preview takes ${preview.ratio.toFixed(2)} × that of an empty program, more than ${BOUNDS.previewRatio}`,
    );
  return found;
}

/** The figures as a person reads them, 80 columns wide. */
export function describe(figures: Figures): string {
  const { upFromNothing, upAgain, preview } = figures;
  return [
    ...(upFromNothing
      ? describeUp(`npm run up from nothing, caches warm (bound: ${BOUNDS.upSeconds} s)`, upFromNothing)
      : [`npm run up from nothing: left out, the lab "${figures.lab}" was running before`]),
    "",
    ...describeUp("npm run up again, nothing to change", upAgain),
    "",
    ...describePreview(preview),
  ].join("\n");
}

function describeUp(title: string, { total, stages }: UpFigures): string[] {
  return [title, row("  in all", total), ...stages.map((stage) => row(`    ${stage.title}`, stage))];
}

function describePreview(preview: PreviewFigures): string[] {
  const { withPack, withoutPack, emptyProgram, shares, pluginStarts } = preview;
  const starts = pluginStarts.reduce((sum, { median }) => sum + median, 0);
  const rest = shares.programAndProviders - starts;
  return [
    `no-op preview, interleaved with that of an empty program of the same loader`,
    row("  the lab's stack with the policy pack", withPack),
    row("  the lab's stack without it", withoutPack),
    row("  the empty program", emptyProgram),
    `  ratio: ${preview.ratio.toFixed(2)} (bound: ${BOUNDS.previewRatio})`,
    "  where the time goes (differences within a turn; plugins: the engine's log)",
    row("    CLI, language host, SDK (the empty program)", emptyProgram),
    row("    starts of the providers' plugins", { median: starts }),
    ...pluginStarts.map((each) => row(`      ${each.plugin}`, each)),
    row("    program, and the engine's work on its resources", { median: rest }),
    row("    policy pack, start and judgement", { median: shares.pack }),
  ];
}

function row(label: string, { median, ...more }: { median: number } & Partial<Sample>): string {
  const spread =
    more.runs !== undefined && more.runs > 1
      ? `  (${secondsOf(more.min ?? 0)} … ${secondsOf(more.max ?? 0)}, n = ${more.runs})`
      : "";
  return `${label.slice(0, 52).padEnd(52)}${secondsOf(median).padStart(7)} s${spread}`.trimEnd();
}

const secondsOf = (milliseconds: number) => (milliseconds / 1000).toFixed(2);
