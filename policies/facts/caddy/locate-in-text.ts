import { parse as parseJsonc, type ParseError } from "jsonc-parser";

import { list, record } from "../../../lib/json-values.ts";
import { formatPath, type Path } from "../../framework/values.ts";
import { sentPartsIn } from "./admin-api.ts";
import { faultIn } from "./caddyfile-blocks.ts";
import { readCaddyfile } from "./caddyfile.ts";
import { isCaddyJson, readCaddyJson } from "./json.ts";
import type { CaddyConfig } from "./model.ts";

/** A text that may hold Caddy configs. */
export interface CaddyText {
  readonly where: string;
  readonly text: string;
  /** The file's or variable's name, where it has one. */
  readonly name: string;
}

const MAX_DEPTH = 4;
/** Most texts hold no config; this is what decides it, before anything is parsed. */
const WORTH_READING = /apps|layer4|reverse_proxy|base64|:2019|[Cc]addy|CADDY/;
const CADDYFILE_WORDS = /^\s*(?:layer4\s*\{|listener_wrappers\s*\{|reverse_proxy\s)/m;
const BASE64 = /[A-Za-z0-9+/]{40,}(?:\n[A-Za-z0-9+/]{4,})*={0,2}/g;
const HEREDOC = /<<-?[ \t]*(['"]?)(\w+)\1([^\n]*)\n([^]*?)\n?^[ \t]*\2[ \t]*$/gm;
const QUOTED = /'([^']*)'|"((?:[^"\\]|\\[^])*)"/g;
/** No script has more here-documents or quoted words, and each costs a look through all of it. */
const MAX_PARTS = 200;
const MAX_MISSES = 10;

export const isCaddyName = (name: string): boolean => /[Cc]addy|CADDY/.test(name);

/** True for a file that Caddy takes for a Caddyfile, also where a command writes it. */
const isCaddyfile = (name: string): boolean =>
  /(?:^|[\s/>])Caddyfile(?:\.(?!json)[\w-]+)*(?=\s|$)|\.caddyfile(?=\s|$)/i.test(name);

/** Whether a text is worth a look: cheap, since every text of every resource is asked. */
export const isWorthReading = (text: string): boolean => WORTH_READING.test(text);

export const mayHoldConfigs = ({ name, text }: CaddyText): boolean =>
  isCaddyName(name) || isWorthReading(text);

function parseJson(text: string): unknown {
  if (!/^\s*(?:[{[]|\/[/*])/.test(text)) return undefined;
  try {
    return JSON.parse(text); // many times faster, and all that most have
  } catch {
    // It may have comments, or a comma too many.
  }
  const errors: ParseError[] = [];
  const value: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
  return errors.length === 0 ? value : undefined;
}

/** Configs in a parsed value: the value itself, one deeper down, or one in a string of it. */
export function configsInValue(
  value: unknown,
  base: string,
  name: string,
  path: Path = [],
  depth = 0,
): CaddyConfig[] {
  const where = `${base} ${formatPath(path)}`.trim();
  if (typeof value === "string")
    return path.length > 0 ? configsIn({ where, text: value, name }, depth + 1) : [];
  if (isCaddyJson(value)) return [readCaddyJson(value, where)];
  const entries = Array.isArray(value)
    ? list(value).map((item, i) => [i, item] as const)
    : Object.entries(record(value));
  return entries.flatMap(([key, item]) => configsInValue(item, base, String(key), [...path, key], depth));
}

/** The part of a text from one brace to its partner. */
function objectAt(text: string, start: number): string | undefined {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (char === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i++;
    } else if (char === "{") depth++;
    else if (char === "}" && --depth === 0) return text.slice(start, i + 1);
  }
  return undefined;
}

/** The objects that hold an offset, from the outermost within reach to the innermost. */
function objectsAround(text: string, at: number, from: number): { start: number; object: string }[] {
  const found: { start: number; object: string }[] = [];
  let start = text.lastIndexOf("{", at);
  for (let tries = 0; start >= from && tries < 10; tries++) {
    const object = objectAt(text, start);
    if (object !== undefined) found.unshift({ start, object });
    start = start > 0 ? text.lastIndexOf("{", start - 1) : -1;
  }
  return found;
}

/** JSON between other words, such as those of a shell: the outermost objects that hold `"apps"`. */
function objectsIn(text: string): string[] {
  const found: string[] = [];
  let done = 0;
  let at = text.indexOf('"apps"');
  for (let misses = 0; at >= 0 && misses < MAX_MISSES; at = text.indexOf('"apps"', Math.max(at + 1, done))) {
    const config = objectsAround(text, at, done).find(({ object }) => isCaddyJson(parseJson(object)));
    if (config) {
      found.push(config.object);
      done = config.start + config.object.length;
    } else misses++;
  }
  return found;
}

/** Texts inside a shell's text: here-documents, quoted words, and what is decoded from base64. */
function innerTexts({ where, text, name }: CaddyText): CaddyText[] {
  const many = text.split("<<").length > MAX_PARTS;
  const heredocs = (many ? [] : [...text.matchAll(HEREDOC)]).map(([whole, , , rest = "", body = ""], i) => {
    const line = text.slice(0, text.indexOf(whole)).split("\n").at(-1) ?? "";
    return { where: `${where} (here-document ${i + 1})`, text: body, name: `${line} ${rest}` };
  });
  if (heredocs.length > 0) return heredocs;
  const encoded = text.includes("base64")
    ? [...text.matchAll(BASE64)].map(([run]) => Buffer.from(run, "base64").toString("utf8"))
    : [];
  const quoted = [...text.matchAll(QUOTED)]
    .map(({ index, 0: whole, 1: single, 2: double = "" }) => ({
      text: single ?? double.replace(/\\(["\\$`])/g, "$1"),
      name: text.slice(index + whole.length).split("\n", 1)[0] ?? "",
    }))
    // A config in a word of its own is an object, or more than one line.
    .filter((word) => /[\n{]/.test(word.text))
    .slice(0, MAX_PARTS);
  return [
    ...encoded.map((inner) => ({ where: `${where} (base64)`, text: inner, name })),
    ...quoted.map((inner) => ({ where: `${where} (quoted)`, ...inner })),
  ];
}

/** What a script sends to the admin API part by part, as one config. */
function sentConfigs({ where, text }: CaddyText): CaddyConfig[] {
  const { config, gaps } = sentPartsIn(text, parseJson);
  if (config === undefined && gaps.length === 0) return [];
  const unread = [...new Set(gaps)].map((because) => ({ where, because }));
  return [readCaddyJson(config ?? {}, where, undefined, unread, true)];
}

/** The Caddy configs in a text: JSON, a Caddyfile, or either inside a script, base64 or JSON. */
export function configsIn(source: CaddyText, depth = 0): CaddyConfig[] {
  const { where, text, name } = source;
  if (depth > MAX_DEPTH || !mayHoldConfigs(source)) return [];
  try {
    const json = parseJson(text);
    if (json !== undefined) return configsInValue(json, where, name, [], depth);
    // A Caddyfile may quote anything; elsewhere the whole comes last: a script may look like one.
    const whole = isCaddyName(name) ? readCaddyfile(text, where, isCaddyfile(name)) : undefined;
    if (whole) return [whole];
    const objects = objectsIn(text).map((object) => readCaddyJson(record(parseJson(object)), where));
    const found = [...objects, ...sentConfigs(source)];
    if (found.length > 0) return found;
    const inner = innerTexts(source).flatMap((one) => configsIn(one, depth + 1));
    if (inner.length > 0) return inner;
    const caddyfile = CADDYFILE_WORDS.test(text) ? readCaddyfile(text, where) : undefined;
    return caddyfile ? [caddyfile] : [];
  } catch (error) {
    if (error instanceof RangeError) return []; // nested too deep for the call stack
    throw error;
  }
}

/** Why what is named as a Caddy config cannot be read; undefined for what can, and for others. */
export function whyUnreadable({ name, text }: CaddyText): string | undefined {
  const isNamed = isCaddyfile(name);
  if (!(isNamed || /caddy[^/]*\.json$/i.test(name)) || text.trim() === "") return undefined;
  try {
    if (parseJson(text) !== undefined || readCaddyfile(text, "", isNamed)) return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const fault = isNamed ? faultIn(text) : undefined;
  return `cannot be read as a Caddyfile or as Caddy's JSON${fault === undefined ? "" : `: ${fault}`}`;
}
