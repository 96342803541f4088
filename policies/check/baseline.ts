import { readFileSync, writeFileSync } from "node:fs";

import { UserError } from "../../lib/errors.ts";
import { isRecord } from "../../lib/json-values.ts";
import { fingerprintOf } from "../../lib/sarif.ts";
import { EXCEPTIONS_POLICY } from "../framework/pack-state.ts";
import type { CheckFinding } from "./judge.ts";

/** What a baseline keeps of a finding; all but fingerprint and level is for the reader. */
interface Entry {
  readonly fingerprint: string;
  readonly level: CheckFinding["level"];
  readonly policy: string;
  readonly file: string;
  readonly where: string;
}

/** What a finding is told apart by, whatever line it has moved to: indices shift as lines do. */
export const identityOf = ({ policy, at, where, what }: CheckFinding): readonly string[] => [
  policy,
  at.file,
  where.replace(/\[\d+\]/g, "[]"),
  what,
];

const keyOf = (fingerprint: string, level: CheckFinding["level"]): string => `${fingerprint} ${level}`;

/** Findings that are known, and how many of each: one more of the same is new. */
export class Baseline {
  readonly #left = new Map<string, number>();

  constructor(keys: readonly string[]) {
    for (const one of keys) this.#left.set(one, (this.#left.get(one) ?? 0) + 1);
  }

  /** Takes one from the baseline, if it is there. */
  knows(finding: CheckFinding): boolean {
    // A known error covers a warning; what was but a warning covers no error.
    const levels = finding.level === "error" ? (["error"] as const) : (["warning", "error"] as const);
    const key = levels
      .map((level) => keyOf(fingerprintOf(identityOf(finding)), level))
      .find((one) => (this.#left.get(one) ?? 0) > 0);
    if (key === undefined) return false;
    this.#left.set(key, (this.#left.get(key) ?? 0) - 1);
    return true;
  }

  /** How many nobody has asked for: they are mended. */
  get left(): number {
    return [...this.#left.values()].reduce((sum, count) => sum + Math.max(count, 0), 0);
  }
}

/**
 * Reads a baseline.
 *
 * @throws UserError where it is none
 */
export function readBaseline(path: string): Baseline {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new UserError(
      isMissing ? `there is no baseline ${path}` : `${path} is no baseline: it is no JSON`,
      {
        hint: "write it with: --baseline FILE --write-baseline",
      },
    );
  }
  const findings = isRecord(document) ? document["findings"] : undefined;
  if (!Array.isArray(findings)) throw new UserError(`${path} is no baseline: it has no list of findings`);
  return new Baseline(
    findings.flatMap((entry: unknown) =>
      isRecord(entry) && typeof entry["fingerprint"] === "string"
        ? [keyOf(entry["fingerprint"], entry["level"] === "warning" ? "warning" : "error")]
        : [],
    ),
  );
}

/**
 * Writes what is found today as known.
 *
 * @throws UserError where the file cannot be written
 */
export function writeBaseline(path: string, findings: readonly CheckFinding[]): void {
  // An exception has an end, which a baseline would take from it.
  const lasting = findings.filter(({ excepted, policy }) => !excepted && policy !== EXCEPTIONS_POLICY);
  const entries = lasting.map((finding): Entry => ({
    level: finding.level,
    fingerprint: fingerprintOf(identityOf(finding)),
    policy: finding.policy,
    file: finding.at.file,
    where: finding.where,
  }));
  try {
    writeFileSync(path, `${JSON.stringify({ version: 1, findings: entries }, null, 2)}\n`);
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${(error as NodeJS.ErrnoException).code ?? "unknown"}`);
  }
}
