import { UserError } from "../errors.ts";
import { commentsOf, place, type Comment } from "./hujson.ts";

const BEGIN = "tailwart: begin";
const END = "tailwart: end";
const NOTE = "made from tailwart's flow table: edits up to the end mark are refused";

/** A stretch of the policy file that tailwart wrote. */
export interface Region {
  readonly start: number;
  readonly end: number;
}

/**
 * Where tailwart's marked regions stand in a HuJSON text. A region is whole lines between `//`
 * marks, or, where the user writes on one line, a stretch between block comments; so that cutting
 * it out gives back the user's bytes.
 *
 * @throws UserError when a mark has no counterpart
 */
export function regionsOf(text: string, path: string): Region[] {
  const regions: Region[] = [];
  let open: Comment | undefined;
  for (const comment of commentsOf(text)) {
    const begins = comment.text.startsWith(BEGIN);
    if (!begins && !comment.text.startsWith(END)) continue;
    if (begins === (open !== undefined)) throw unbalanced(text, comment, path);
    if (begins) {
      open = comment;
    } else if (open) {
      if (open.block !== comment.block) throw unbalanced(text, comment, path);
      regions.push(extent(text, open, comment, path));
      open = undefined;
    }
  }
  if (open) throw unbalanced(text, open, path);
  return regions;
}

/** The text without the regions. */
export function cutRegions(text: string, regions: readonly Region[]): string {
  let rest = "";
  let from = 0;
  for (const { start, end } of regions) {
    rest += text.slice(from, start);
    from = end;
  }
  return rest + text.slice(from);
}

/**
 * The insertion that puts entries right behind an opening bracket. Every entry ends in a comma,
 * which HuJSON allows before a closing bracket too, so no byte of the user's has to change.
 *
 * @param bracket offset of the opening bracket
 */
export function insertionAfter(
  text: string,
  bracket: number,
  entries: readonly string[],
): { offset: number; text: string } {
  const restOfLine = /^[ \t]*(?:\/\/[^\n]*?|\/\*[^*\n]*\*\/[ \t]*)?(\r?\n)/.exec(text.slice(bracket + 1));
  if (!restOfLine) {
    // The bracket's line goes on with the user's own text: a line comment of ours would swallow it.
    return {
      offset: bracket + 1,
      text: `/* ${BEGIN}, ${NOTE} */ ${entries.map((entry) => `${entry}, `).join("")}/* ${END} */`,
    };
  }
  const offset = bracket + 1 + restOfLine[0].length;
  const newline = restOfLine[1] ?? "\n";
  const lines = [`// ${BEGIN}, ${NOTE}`, ...entries.map((entry) => `${entry},`), `// ${END}`];
  const indent = indentAt(text, offset, bracket);
  return {
    offset,
    text: lines.map((line) => indent + line.replaceAll("\n", newline + indent) + newline).join(""),
  };
}

/**
 * The indentation of the next line, where it holds an entry; else that of the bracket's line and
 * two spaces.
 */
function indentAt(text: string, offset: number, bracket: number): string {
  const next = /^([ \t]*)[^\s\]}]/.exec(text.slice(offset));
  if (next) return next[1] ?? "";
  const line = text.slice(text.lastIndexOf("\n", bracket) + 1);
  return `${/^[ \t]*/.exec(line)?.[0] ?? ""}  `;
}

function extent(text: string, begin: Comment, end: Comment, path: string): Region {
  if (begin.block) return { start: begin.start, end: end.end };
  for (const mark of [begin, end]) {
    // Whole lines are cut out, so an entry that somebody put before a mark would be lost.
    const before = text.slice(text.lastIndexOf("\n", mark.start) + 1, mark.start);
    if (before.trim() !== "") {
      throw new UserError(`${path}: something stands before tailwart's mark at ${place(text, mark.start)}`, {
        path,
        hint: "put the mark on a line of its own",
      });
    }
  }
  const newline = text.indexOf("\n", end.end);
  return { start: text.lastIndexOf("\n", begin.start) + 1, end: newline < 0 ? text.length : newline + 1 };
}

function unbalanced(text: string, comment: Comment, path: string): UserError {
  return new UserError(
    `${path}: the mark "${comment.text.startsWith(BEGIN) ? BEGIN : END}" at ${place(text, comment.start)} has no counterpart`,
    {
      path,
      hint: `tailwart's entries stand between "// ${BEGIN}" and "// ${END}": delete both marks and what is between them, and deploy again`,
    },
  );
}
