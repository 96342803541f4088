import { expect } from "vitest";

import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";
import { UserError } from "../../../../lib/errors.ts";

/** Wrong desired states by the path of the field that the error names. */
export type Wrong = Record<string, [name: string, input: StalwartSettingsInput, words: RegExp][]>;

/** A row for each of them: name, path, input, words. */
export const rowsOf = (wrong: Wrong) =>
  Object.entries(wrong).flatMap(([path, rows]) =>
    rows.map(([name, input, words]) => [name, path, input, words] as const),
  );

/** Expects a refusal whose line begins so, and returns all that the error says. */
export function expectRefusal(input: StalwartSettingsInput, begin: string, words: RegExp): string {
  let thrown: unknown;
  try {
    parseSettings(input);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(UserError);
  const { message } = thrown as UserError;
  expect(message.split("\n").find((line) => line.startsWith(`  ${begin}`)) ?? "").toMatch(words);
  return message;
}
