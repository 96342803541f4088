import { findNodeAtLocation, parseTree, type Node } from "jsonc-parser";

import { linesOf, lineOf as tomlLineOf } from "./input/toml.ts";
import type { At } from "./located.ts";
import type { Place, Source } from "./resource.ts";

/** Where a finding is, as a reader of the files finds it. */
export interface Found {
  readonly at: At;
  /** What the place is called there. */
  readonly where: string;
  /** Why the value there is not known. */
  readonly unknownBecause?: string;
}

/**
 * Finds the line of a place that a policy names, such as `envs (RELAY)` or `acl grants[0].src[1]`.
 *
 * @param what is told of it: its words lead to the line where the place does not
 * @param textOf a file's text
 */
export function locate(
  where: string,
  what: string,
  source: Source | undefined,
  textOf: (file: string) => string,
): Found {
  const [place, rest] = source ? nearest(where, source) : [undefined, where];
  if (!source || !place) return { at: { file: "", line: 1 }, where };
  const inner = rest.replace(/^ ?\([^)]*\)/, "").trim();
  const { file, line, shown, isText, block, unknownBecause } = place;
  const at =
    block !== undefined
      ? { file, line: line + lineWithin(block, file, inner, what) }
      : isText
        ? { file, line: lineWithin(textOf(file), file, inner, what) }
        : { file, line };
  const separator = shown === "" || /^[[.]/.test(inner) || inner === "" ? "" : " ";
  // A line is told with the file, before anything else.
  const tail = isText || block !== undefined ? inner.replace(/(?:^|\s)line \d+$/, "") : inner;
  return {
    at,
    where: `${shown}${tail === "" ? "" : separator}${tail}`,
    ...(unknownBecause !== undefined && { unknownBecause }),
  };
}

/** The input with the longest path that the place begins with, and what is left of the place. */
function nearest(where: string, source: Source): [place: Place, rest: string] {
  for (let end = where.length; end > 0; end--) {
    if (end < where.length && !/[\s.[(]/.test(where[end] ?? "")) continue;
    const place = source.places.get(where.slice(0, end));
    if (place) return [place, where.slice(end)];
  }
  // Of a resource without places of its own, the whole place is told.
  return [source.at, source.places.size > 0 && /^(?:options)\b/.test(where) ? "" : ` ${where}`];
}

function lineWithin(text: string, file: string, inner: string, what: string): number {
  // A line that comes after a path is one within the value there.
  const [, stated] = /^line (\d+)/.exec(inner) ?? [];
  if (stated !== undefined) return Number(stated);
  // What comes after the path is told besides, such as the host that is named there.
  const [path = ""] = inner.split(/\s/, 1);
  const found = /\.toml$/.test(file)
    ? path === ""
      ? undefined
      : tomlLineOf(path.replace(/\[(\d+)\]/g, ".$1").replace(/\["([^"]*)"\]/g, ".$1"), linesOf(text))
    : lineOfJson(text, pathIn(path));
  return found !== undefined && found > 1 ? found : (lineOfWords(text, `${inner} ${what}`) ?? found ?? 1);
}

/** Undoes formatPath; a key that is too long to be told ends the path. */
function pathIn(text: string): (string | number)[] {
  const path: (string | number)[] = [];
  for (const [whole, index, quoted, plain] of text.matchAll(/\[(\d+)\]|\["([^"]*)"\]|([\w-]+)/g)) {
    if (quoted === "…" || whole === "") break;
    path.push(index !== undefined ? Number(index) : (quoted ?? plain ?? ""));
  }
  return path;
}

function lineOfJson(text: string, path: readonly (string | number)[]): number | undefined {
  if (path.length === 0 || !/^\s*(?:[{[]|\/[/*])/.test(text)) return undefined;
  const tree = parseTree(text, [], { allowTrailingComma: true });
  for (let length = path.length; tree && length > 0; length--) {
    const node: Node | undefined = findNodeAtLocation(tree, path.slice(0, length));
    if (node) return lineAt(text, node.parent?.type === "property" ? node.parent.offset : node.offset);
  }
  return undefined;
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;

/** The line of the longest word of a sentence that stands in the text. */
function lineOfWords(text: string, what: string): number | undefined {
  const words = [...new Set(what.match(/[\w.:/@*-]{4,}/g))]
    .map((word) => word.replace(/[.,:]+$/, ""))
    .filter((word) => /[\d.:_]|[A-Z]{2}/.test(word))
    .sort((a, b) => b.length - a.length);
  const found = words.find((word) => text.includes(word));
  return found === undefined ? undefined : lineAt(text, text.indexOf(found));
}
