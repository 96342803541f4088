import { readFileSync, writeFileSync } from "node:fs";

import { UserError } from "../../lib/errors.ts";
import { isRecord } from "../../lib/json-values.ts";
import { fingerprintOf } from "../../lib/sarif.ts";
import type { CheckFinding } from "./judge.ts";

/** What a baseline keeps of a finding; all but the fingerprint is for the reader. */
interface Entry {
  readonly fingerprint: string;
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

/** Findings that are known, and how many of each: one more of the same is new. */
export class Baseline {
  readonly #left = new Map<string, number>();

  constructor(fingerprints: readonly string[]) {
    for (const one of fingerprints) this.#left.set(one, (this.#left.get(one) ?? 0) + 1);
  }

  /** Takes one from the baseline, if it is there. */
  knows(finding: CheckFinding): boolean {
    const fingerprint = fingerprintOf(identityOf(finding));
    const left = this.#left.get(fingerprint) ?? 0;
    this.#left.set(fingerprint, left - 1);
    return left > 0;
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
      isRecord(entry) && typeof entry["fingerprint"] === "string" ? [entry["fingerprint"]] : [],
    ),
  );
}

/**
 * Writes what is found today as known.
 *
 * @throws UserError where the file cannot be written
 */
export function writeBaseline(path: string, findings: readonly CheckFinding[]): void {
  const entries = findings.map((finding): Entry => ({
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
