// docs/lessons/replays.json: the last replay of each lesson. The lessons' pictures are made of it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Replay } from "./replay.ts";

/** Where it is committed. */
export const RECORD = join(import.meta.dirname, "..", "..", "docs", "lessons", "replays.json");

/** The replays that are on record, by number. */
export function recorded(file = RECORD): Replay[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Replay[]) : [];
}

/** The record with these in the place of those of the same lessons. */
export function withReplays(replays: readonly Replay[], file = RECORD): string {
  const others = recorded(file).filter(({ lesson }) => !replays.some((each) => each.lesson === lesson));
  const all = [...others, ...replays].sort((one, other) => one.lesson - other.lesson);
  return `${JSON.stringify(all, null, 2)}\n`;
}
