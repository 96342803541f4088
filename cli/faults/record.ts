/** What was measured, as it is kept in the repository: a row a fault, the last green run of it. */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

import { copiesOf } from "./report.ts";
import type { Outcome } from "./run-fault.ts";

export const RECORD = "docs/reliability.json";
const FILE = join(import.meta.dirname, "..", "..", RECORD);

export interface Row {
  fault: string;
  sent: number;
  /** Attempts that were to be made again. */
  refusedForNow: number;
  lost: number;
  /** Second copies. */
  duplicated: number;
  /** Seconds. */
  refusing: number;
  healing: number;
  draining: number;
  /** As 2026-11-28. */
  date: string;
  machine: string;
}

/** The record, by fault. */
export function readRecord(): Row[] {
  return JSON.parse(readFileSync(FILE, "utf8")) as Row[];
}

/** What a run adds to it. @param line of Stalwart */
export function rowOf({ fault, verdict, times, draining = 0 }: Outcome, line: string): Row {
  const tenths = (seconds: number) => Math.round(seconds * 10) / 10;
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    fault,
    sent: verdict.sent,
    refusedForNow: verdict.refusedForNow,
    lost: verdict.lost.length,
    duplicated: copiesOf(verdict),
    refusing: tenths(times.refusing),
    healing: tenths(times.healing),
    draining: Math.round(draining),
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores, ${memory} GB, Stalwart ${line}`,
  };
}

/** Rows take the place of those of the same fault; others stay. */
export function merged(record: readonly Row[], rows: readonly Row[]): Row[] {
  const names = rows.map(({ fault }) => fault);
  return [...record.filter(({ fault }) => !names.includes(fault)), ...rows];
}

/** Puts rows into the record. */
export function addToRecord(rows: readonly Row[]): void {
  writeFileSync(FILE, `${JSON.stringify(merged(readRecord(), rows), null, 2)}\n`);
}
