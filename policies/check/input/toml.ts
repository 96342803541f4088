import { parse as parseToml, TomlError } from "smol-toml";

import { isRecord } from "../../../lib/json-values.ts";
import { UnreadableInput } from "../yaml.ts";

/** A config file of Stalwart's as its 0.15 line has it in memory: flat keys, and where each is. */
export interface FlatToml {
  readonly values: ReadonlyMap<string, string>;
  readonly lines: ReadonlyMap<string, number>;
}

/**
 * Reads TOML into flat keys. What is in a list has its number in the key, with four digits, as
 * Stalwart writes it.
 *
 * @throws UnreadableInput with the line
 */
export function flatToml(text: string, file: string): FlatToml {
  let document: unknown;
  try {
    document = parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new UnreadableInput({ file, line: error.line }, `no TOML: ${error.message.split("\n")[0] ?? ""}`);
  }
  const values = new Map<string, string>();
  flatten(document, "", values);
  const written = linesOf(text);
  const lines = new Map([...values.keys()].map((key) => [key, lineOf(key, written)]));
  return { values, lines };
}

function flatten(value: unknown, path: string, into: Map<string, string>): void {
  const below = (key: string) => (path === "" ? key : `${path}.${key}`);
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) flatten(item, below(String(index).padStart(4, "0")), into);
  else if (isRecord(value)) for (const [key, item] of Object.entries(value)) flatten(item, below(key), into);
  else into.set(path, String(value));
}

const HEADER = /^[ \t]*\[{1,2}([^\]]+)\]{1,2}[ \t]*(?:#.*)?$/;
const KEY = /^[ \t]*((?:"[^"]*"|'[^']*'|[\w-]+)(?:[ \t]*\.[ \t]*(?:"[^"]*"|'[^']*'|[\w-]+))*)[ \t]*=/;

const plainKey = (key: string): string =>
  (key.match(/"[^"]*"|'[^']*'|[^.\s"']+/g) ?? [])
    .map((part) => part.replace(/^(["'])(.*)\1$/, "$2"))
    .join(".");

/** Every key and table of the text, whole, with the line that it begins at. */
export function linesOf(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  let table = "";
  for (const [index, line] of text.split("\n").entries()) {
    const header = HEADER.exec(line)?.[1];
    const key = KEY.exec(line)?.[1];
    if (header !== undefined && key === undefined) {
      table = plainKey(header);
      if (!lines.has(table)) lines.set(table, index + 1);
    } else if (key !== undefined) {
      const whole = [table, plainKey(key)].filter(Boolean).join(".");
      if (!lines.has(whole)) lines.set(whole, index + 1);
    }
  }
  return lines;
}

/** The line of a key, or of the nearest one above it: a list of several lines has but one key. */
export function lineOf(key: string, lines: ReadonlyMap<string, number>): number {
  const plain = key.replaceAll(/\.\d{1,4}(?=\.|$)/g, "");
  for (let path = plain; path !== ""; path = path.slice(0, Math.max(path.lastIndexOf("."), 0))) {
    const line = lines.get(path);
    if (line !== undefined) return line;
  }
  return 1;
}
