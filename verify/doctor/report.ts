import { printable } from "../../lib/printable.ts";
import { wrap } from "../../lib/wrap.ts";
import type { State } from "../check.ts";
import type { Row } from "./examine.ts";

/** A whole examination. */
export interface Examination {
  /** What was examined. @example "stack prod" */
  what: string;
  /** The worst of its rows: fail, then unknown, then warn, then ok. */
  state: Exclude<State, "skip">;
  seconds: number;
  rows: readonly Row[];
}

const WORST = ["fail", "unknown", "warn"] as const;
const MARKS: Record<State, string> = { fail: "✗", unknown: "?", warn: "!", ok: "✓", skip: "-" };
const COLORS: Record<State, number> = { fail: 31, unknown: 35, warn: 33, ok: 32, skip: 90 };
const ORDER: readonly State[] = ["fail", "unknown", "warn", "ok", "skip"];

/** Columns of a line, as a terminal has them. */
const WIDTH = 80;

export function examination(what: string, rows: readonly Row[], seconds: number): Examination {
  const state = WORST.find((each) => rows.some((row) => row.state === each)) ?? "ok";
  return { what, state, seconds, rows };
}

/** 0 while nothing fails and all can be told, warnings or not; else 1. */
export const exitCode = ({ state }: Examination): number => (state === "ok" || state === "warn" ? 0 : 1);

/** How many rows are of each state, those that are none left out. */
export function counts(rows: readonly Row[]): Partial<Record<State, number>> {
  const pairs = ORDER.map((state) => [state, rows.filter((row) => row.state === state).length] as const);
  return Object.fromEntries(pairs.filter(([, count]) => count > 0));
}

/**
 * The examination for people, in 80 columns but for commands, which are to be pasted: causes first,
 * with what was not asked because of each, evidence, what to do, and the page that tells why.
 */
export function report({ what, seconds, rows }: Examination, color = false): string {
  const paint = (state: State, text: string) => (color ? `\u001b[${COLORS[state]}m${text}\u001b[0m` : text);
  const told = rows.filter(({ because }) => because === undefined);
  const width = Math.max(...rows.map(({ id }) => id.length));
  const lines: string[] = [];
  for (const state of ORDER)
    for (const row of told.filter((each) => each.state === state)) {
      const head = `${MARKS[state]} ${row.id.padEnd(width)}  `;
      const [first = "", ...rest] = wrapped(row.seen, WIDTH - head.length);
      lines.push(`${paint(state, head)}${first}`, ...rest.map((line) => " ".repeat(head.length) + line));
      if (state !== "ok" && state !== "skip") lines.push(...more(row, rows), "");
    }
  const sums = Object.entries(counts(rows)).map(([state, count]) =>
    paint(state as State, `${count} ${state}`),
  );
  return [...lines, "", `${what}: ${sums.join(", ")}, in ${seconds.toFixed(1)} s`].join("\n");
}

/** What stands below a row that does not simply hold. */
function more({ id, from, advice, fix, lesson }: Row, rows: readonly Row[]): string[] {
  const folded = rows.filter(({ because }) => because === id).map((row) => row.id);
  const block = (head: string, text: string) =>
    wrapped(text, WIDTH - 10).map((line, i) => `    ${(i === 0 ? head : "").padEnd(6)}${line}`);
  return [
    ...block("from", VANTAGES[from]),
    ...(advice === undefined ? [] : block("note", advice)),
    ...(fix === undefined ? [] : [`    fix   ${fix}`]),
    ...block("why", lesson),
    ...(folded.length > 0 ? block("left", `not asked before this holds: ${folded.join(", ")}`) : []),
  ];
}

const VANTAGES: Record<Row["from"], string> = {
  operator: "this machine",
  kvm: "the KVM host's Docker",
  namespace: "Stalwart's network namespace",
  edge: "the edge's container",
  outside: "this machine, to the edge's public address",
};

/** Text in lines of so many columns; what servers say cannot steer a terminal. */
const wrapped = (text: string, columns: number): string[] =>
  printable(text)
    .split("\n")
    .flatMap((paragraph) => wrap(paragraph, columns));
