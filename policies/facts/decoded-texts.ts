import { visit as visitJsonc } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";

import { formatPath, perResource, walk, type Gap, type Leaf, type Path } from "../framework/values.ts";
import { comesFromLocalFile } from "./docker/uploads.ts";

/** A piece of text that takes effect, with the place where a reader finds it. */
export interface TextPiece {
  /** Such as `envs (SMARTHOST)` or `uploads[0].content (/etc/caddy.json) apps.layer4`. */
  readonly where: string;
  readonly text: string;
  /** The text with the comments at its lines' ends, which may give something away. */
  readonly raw: string;
  /** Innermost key or variable that holds the text. */
  readonly key: string;
}

const MAX_DEPTH = 4;

/** The strings and keys of JSON or HuJSON, without comments. Undefined when it is neither. */
function jsonPieces(text: string): { path: Path; text: string }[] | undefined {
  if (!/^\s*(?:[{[]|\/[/*])/.test(text)) return undefined;
  const pieces: { path: Path; text: string }[] = [];
  const errors: number[] = [];
  // A visitor sees both values of a repeated key, a parser only the last.
  visitJsonc(
    text,
    {
      onObjectProperty: (property, _offset, _length, _line, _column, path) =>
        void pieces.push({ path: [...path(), property], text: property }),
      onLiteralValue: (value: unknown, _offset, _length, _line, _column, path) => {
        if (typeof value === "string") pieces.push({ path: path(), text: value });
      },
      onError: (error) => void errors.push(error),
    },
    { allowTrailingComma: true, disallowComments: false },
  );
  return errors.length === 0 ? pieces : undefined;
}

/** The address that ends a key, such as `server.allowed-ip.198.51.100.7` of Stalwart's. */
function addressIn(key: string): string | undefined {
  return /(?:^|\.)((?:\d{1,3}\.){3}\d{1,3}(?:\/\d+)?|[\da-f]*:[\da-f:]+(?:\/\d+)?)$/i.exec(key)?.[1];
}

/** The strings of TOML, and the addresses in its keys, or undefined when it is none. */
function tomlPieces(text: string): { path: Path; text: string }[] | undefined {
  if (!/^[ \t]*(?:\[{1,2}[^\]\n]+\]{1,2}|[\w."-]+[ \t]*=.+)[ \t]*$/m.test(text)) return undefined;
  try {
    return walk(parseToml(text)).leaves.flatMap(({ path, value }) => {
      // Unquoted, the parts of an address are four keys.
      const address = addressIn(path.filter((part) => typeof part === "string").join("."));
      return [address, value].flatMap((text) => (typeof text === "string" ? [{ path, text }] : []));
    });
  } catch {
    return undefined;
  }
}

function structuredPieces(text: string): { path: Path; text: string }[] | undefined {
  try {
    return jsonPieces(text) ?? (text.includes("\n") ? tomlPieces(text) : undefined);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // nested too deep: plain text
    throw error;
  }
}

/** Empties lines that are comments in shell, Caddyfile, YAML and most other formats. */
function withoutCommentLines(text: string): string {
  return text.includes("\n") ? text.replace(/^[ \t]*(?:#|\/\/)(?!!).*$/gm, "") : text;
}

/** Leaves out comments at lines' ends, as the same formats have them. */
function withoutComments(text: string): string {
  if (!text.includes("\n")) return text;
  return text.replace(/^.*[ \t]#.*$/gm, (line) => line.slice(0, commentIn(line)));
}

/** Where the comment at the end of a line begins: at a # after a blank, outside of quotes. */
function commentIn(line: string): number {
  let quote = "";
  for (let index = 0; index < line.length; index++) {
    const char = line[index] as string;
    if (quote) quote = char === quote ? "" : quote;
    else if (/["'`]/.test(char)) quote = char;
    else if (char === "#" && /\s/.test(line[index - 1] ?? "")) return index;
  }
  return line.length;
}

/**
 * What a text says once its format is undone: the strings of JSON, HuJSON or TOML (also inside one
 * another), or the text without comments.
 *
 * @param where what the pieces' places begin with
 * @param key innermost key that holds the text
 */
export function decodeText(where: string, key: string, text: string): TextPiece[] {
  return decoded(text).map(({ place, ...piece }) => ({
    ...piece,
    where: where + place,
    key: piece.key ?? key,
  }));
}

/** A piece with its place in the text, such as ` apps.layer4`; no key in unstructured text. */
interface InnerPiece {
  readonly place: string;
  readonly text: string;
  readonly raw: string;
  readonly key: string | undefined;
}

/** Long texts by content: they are read once for the resource, and again for the stack. */
const known = new Map<string, readonly InnerPiece[]>();
const WORTH_KEEPING = 256;
const MAX_KNOWN = 4096;

function decoded(text: string): readonly InnerPiece[] {
  if (text.length < WORTH_KEEPING) return decode(text, 0);
  const pieces = known.get(text) ?? decode(text, 0);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(text, pieces);
  return pieces;
}

function decode(text: string, depth: number): InnerPiece[] {
  const inner = depth < MAX_DEPTH ? structuredPieces(text) : undefined;
  if (inner === undefined) {
    const raw = withoutCommentLines(text);
    return [{ place: "", text: withoutComments(raw), raw, key: undefined }];
  }
  return inner.flatMap((piece) => {
    const innerKey = piece.path.findLast((part) => typeof part === "string");
    const place = ` ${formatPath(piece.path)}`;
    return decode(piece.text, depth + 1).map((one) => ({
      ...one,
      place: place + one.place,
      key: one.key ?? innerKey,
    }));
  });
}

/**
 * Docker's envs, labels, uploads and hosts are sets to the provider, which sorts them before a
 * policy sees them; so the place names the member, and an index alone would mislead.
 */
const NAME_OF_MEMBER: Readonly<Record<string, string>> = { uploads: "file", labels: "label", hosts: "host" };

function pieces({ path, value }: Leaf, names: ReadonlyMap<string, string>): TextPiece[] {
  if (typeof value !== "string") return [];
  const key = path.findLast((part) => typeof part === "string") ?? "";
  if (path[0] === "envs" && path.length === 2 && value.includes("=")) {
    const name = value.slice(0, value.indexOf("="));
    return decodeText(`envs (${name})`, name, value.slice(name.length + 1));
  }
  const name = names.get(`${path[0]} ${path[1]}`);
  const where = name === undefined || name === value ? formatPath(path) : `${formatPath(path)} (${name})`;
  return decodeText(
    where,
    key,
    key === "contentBase64" ? Buffer.from(value, "base64").toString("utf8") : value,
  );
}

/** Every text of a resource's inputs, decoded, and the places that could not be read. */
export function textsOf(props: object): Texts {
  return textsOnce(props);
}

export interface Texts {
  readonly pieces: readonly TextPiece[];
  readonly gaps: readonly Gap[];
}

const textsOnce = perResource((props: object): Texts => {
  const { leaves, gaps: unread } = walk(props);
  const gaps = [...unread];
  const names = new Map<string, string>();
  for (const { path, value } of leaves) {
    const [list = "", index, key] = path;
    if (path.length === 3 && NAME_OF_MEMBER[list] === key) names.set(`${list} ${index}`, String(value));
    if (list === "remotePath") names.set("source undefined", String(value)); // a copied asset
  }
  for (const { path, value } of leaves) {
    // The provider fills in an empty one over the whole stack.
    if (path[0] !== "uploads" || path[2] !== "source" || value === "") continue;
    const file = names.get(`uploads ${path[1]}`) ?? "the upload";
    gaps.push({ path, because: comesFromLocalFile(file) });
  }
  return { pieces: [...leaves.flatMap((leaf) => pieces(leaf, names)), ...keysOf(leaves)], gaps };
});

/** The addresses in keys. */
function keysOf(leaves: readonly Leaf[]): TextPiece[] {
  const seen = new Map<string, TextPiece>();
  for (const { path } of leaves) {
    for (const [index, part] of path.entries()) {
      const text = typeof part === "string" ? addressIn(part) : undefined;
      if (text === undefined) continue;
      const where = formatPath(path.slice(0, index + 1));
      seen.set(where, { where, text, raw: text, key: "" });
    }
  }
  return [...seen.values()];
}
