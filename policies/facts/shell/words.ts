import type { Part, Statement, Word } from "./syntax.ts";

/** Where a reader is in a script. */
export interface Cursor {
  readonly text: string;
  at: number;
}

/** Reads statements up to the bracket that closes them. */
export type ReadStatements = (cursor: Cursor, end: ")" | "}" | "") => Statement[];

/** The end of a bracket that is open, by counting; the text's end where nothing closes it. */
function closing({ text, at }: Cursor): number {
  let depth = 1;
  for (let index = at; index < text.length; index++) {
    if (text[index] === "{") depth++;
    if (text[index] === "}" && --depth === 0) return index;
  }
  return text.length;
}

/** What stands behind a dollar sign. */
function expansion(cursor: Cursor, quoted: boolean, statements: ReadStatements): Part {
  const splits = !quoted;
  const rest = cursor.text.slice(cursor.at);
  if (rest.startsWith("(")) {
    cursor.at++;
    return { kind: "output", script: statements(cursor, ")"), splits };
  }
  if (rest.startsWith("{")) {
    cursor.at++;
    const end = closing(cursor);
    const inner = cursor.text.slice(cursor.at, end);
    cursor.at = end + 1;
    const [, name = "", list, , fallback = ""] =
      /^(\w+|[@*])(\[[@*]\])?(:?[-=](.*)|:?\?.*)?$/s.exec(inner)?.map((group) => group ?? "") ?? [];
    return {
      kind: "variable",
      name,
      fallback: readQuoted(fallback, statements),
      splits: splits || list !== "",
    };
  }
  const name = /^(?:\w+|[@*])/.exec(rest)?.[0];
  if (name === undefined) return { kind: "text", text: "$" };
  cursor.at += name.length;
  return { kind: "variable", name, fallback: [], splits: splits || name === "@" };
}

/** What backticks hold. */
function backticks(cursor: Cursor, quoted: boolean, statements: ReadStatements): Part {
  const end = cursor.text.indexOf("`", cursor.at);
  const text = cursor.text.slice(cursor.at, end < 0 ? undefined : end);
  cursor.at += text.length + 1;
  return { kind: "output", script: statements({ text, at: 0 }, ""), splits: !quoted };
}

/** Text as between double quotes, up to a quote or the end; heredocs are like that too. */
function quotedParts(cursor: Cursor, end: string, statements: ReadStatements): Part[] {
  const parts: Part[] = [];
  while (cursor.at < cursor.text.length) {
    const char = cursor.text[cursor.at++] as string;
    if (char === end) break;
    if (char === "$") parts.push(expansion(cursor, true, statements));
    else if (char === "`") parts.push(backticks(cursor, true, statements));
    else if (char === "\\" && /[$`"\\\n]/.test(cursor.text[cursor.at] ?? "")) {
      const escaped = cursor.text[cursor.at++] as string;
      parts.push({ kind: "text", text: escaped === "\n" ? "" : escaped });
    } else parts.push({ kind: "text", text: char });
  }
  return parts;
}

/** A whole text as between double quotes. */
export const readQuoted = (text: string, statements: ReadStatements): Word =>
  joined(quotedParts({ text, at: 0 }, "", statements));

/** Neighbouring texts as one. */
function joined(parts: readonly Part[]): Part[] {
  const together: Part[] = [];
  for (const part of parts) {
    const last = together.at(-1);
    if (part.kind === "text" && last?.kind === "text")
      together[together.length - 1] = { kind: "text", text: last.text + part.text };
    else together.push(part);
  }
  return together;
}

/** Reads the word that begins at the cursor; empty where none does. */
export function readWord(cursor: Cursor, statements: ReadStatements): Word {
  const parts: Part[] = [];
  while (cursor.at < cursor.text.length && !/[\s;&|()<>]/.test(cursor.text[cursor.at] as string)) {
    const char = cursor.text[cursor.at++] as string;
    if (char === "'") {
      const end = cursor.text.indexOf("'", cursor.at);
      const text = cursor.text.slice(cursor.at, end < 0 ? undefined : end);
      parts.push({ kind: "text", text });
      cursor.at += text.length + 1;
    } else if (char === '"') {
      parts.push({ kind: "text", text: "" });
      for (const part of joined(quotedParts(cursor, '"', statements))) parts.push(part);
    } else if (char === "$" && cursor.text[cursor.at] === "'") continue;
    else if (char === "$") parts.push(expansion(cursor, false, statements));
    else if (char === "`") parts.push(backticks(cursor, false, statements));
    else if (char === "\\") parts.push({ kind: "text", text: cursor.text[cursor.at++] ?? "" });
    else parts.push({ kind: "text", text: char });
  }
  return joined(parts);
}
