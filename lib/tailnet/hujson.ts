import { parseTree, printParseErrorCode, visit, type Node, type ParseError } from "jsonc-parser";
import { UserError } from "../errors.ts";

/** A comment of a HuJSON text: where it stands, and what it says. */
export interface Comment {
  readonly start: number;
  readonly end: number;
  readonly block: boolean;
  readonly text: string;
}

/**
 * Parses HuJSON (JSON with comments and trailing commas) into a tree whose nodes know their
 * offsets.
 *
 * @param path what the text is called in errors
 * @throws UserError naming line and column
 * @see https://nigeltao.github.io/blog/2021/json-with-commas-comments.html
 */
export function parseHujsonObject(text: string, path: string): Node {
  // HuJSON ends a `//` comment at a line feed only, the parser here also at a lone carriage return:
  // they would disagree about what is a comment.
  const odd = /\r(?!\n)|\ufeff/.exec(text);
  if (odd) {
    const what = odd[0] === "\r" ? "a carriage return without a line feed" : "a byte order mark";
    throw new UserError(`${path} is not HuJSON: ${what} at ${place(text, odd.index)}`, {
      path,
      hint: "save the file with LF line ends, as UTF-8 without a byte order mark",
    });
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const first = errors[0];
  if (first) {
    throw new UserError(
      `${path} is not HuJSON: ${printParseErrorCode(first.error)} at ${place(text, first.offset)}`,
      {
        path,
        hint: "HuJSON is JSON with // comments, /* comments */ and trailing commas",
      },
    );
  }
  const last = commentsOf(text).at(-1);
  if (last && !last.block && last.end === text.length) {
    throw new UserError(`${path} is not HuJSON: the comment at ${place(text, last.start)} has no line end`, {
      path,
      hint: "end the last line with a line break",
    });
  }
  if (root?.type !== "object") {
    throw new UserError(`${path} is not a policy file: it must be one object`, {
      path,
      hint: 'write: { "grants": [] }',
    });
  }
  return root;
}

/** All comments of a HuJSON text, in order. Text inside a string is never taken for one. */
export function commentsOf(text: string): Comment[] {
  const comments: Comment[] = [];
  visit(text, {
    onComment(start, length) {
      const end = start + length;
      const block = text.startsWith("/*", start);
      comments.push({ start, end, block, text: text.slice(start + 2, block ? end - 2 : end).trim() });
    },
  });
  return comments;
}

/** The value of a member of an object, or undefined. */
export function member(object: Node, key: string): Node | undefined {
  return object.children?.find((property) => property.children?.[0]?.value === key)?.children?.[1];
}

/** The keys of an object as written, with repetitions. */
export function keysOf(object: Node): string[] {
  return (object.children ?? []).map((property) => String(property.children?.[0]?.value));
}

/** `line 3, column 7` of an offset. */
export function place(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`;
}
