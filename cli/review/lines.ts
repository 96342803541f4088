import { structuredPatch } from "diff";
import { applyEdits, format, parseTree, type ParseError } from "jsonc-parser";

/** Lines around a difference, and how many are shown of one in all. */
const CONTEXT = 3;
const LONGEST = 120;
/** Characters of a line that can be read as it is. */
const SHORT = 100;
/** Milliseconds; two texts that have little in common are then shown whole. */
const PATIENCE = 2000;

/**
 * The lines in which two texts differ, as a unified diff without its head. Long JSON, with comments
 * too, is laid out first, a value a line: a policy file's grants, and many a Caddy config, are one.
 *
 * @returns undefined where neither text has more than a line, or they cannot be compared in time
 */
export function lineDiff(before: string, after: string): string | undefined {
  const [old, next] = [before, after].map(laidOut) as [string, string];
  if (![old, next].some((text) => text.includes("\n"))) return undefined;
  const patch = structuredPatch("", "", old, next, "", "", { context: CONTEXT, timeout: PATIENCE });
  if (patch === undefined) return undefined;
  const sameEnd = old.endsWith("\n") === next.endsWith("\n");
  const lines = patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: hunk }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    // "No newline at end of file" matters where it is so on one side.
    ...hunk.filter((line) => !sameEnd || !line.startsWith("\\")).map(visible),
  ]);
  const left = lines.length - LONGEST;
  return left > 0 ? [...lines.slice(0, LONGEST), `… ${left} more lines`].join("\n") : lines.join("\n");
}

/** A carriage return or a trailing blank would else be a difference that nobody sees. */
const visible = (line: string): string =>
  line.startsWith(" ")
    ? line
    : line[0] +
      line.slice(1).replace(/[ \t\r]+$/, (blank) => JSON.stringify(blank).slice(1, -1).replaceAll(" ", "·"));

function laidOut(text: string): string {
  if (!text.includes("\n") && text.length <= SHORT) return text;
  if (!/^\s*(?:[[{]|\/[/*])/.test(text)) return text;
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (root === undefined || errors.length > 0) return text;
  const laid = applyEdits(text, format(text, undefined, { tabSize: 2, insertSpaces: true, eol: "\n" }));
  // A file within a value, such as a policy file in a command's input, has its lines, too.
  return laid
    .split("\n")
    .map((line) => (line.length > SHORT ? line.replace(/(?<!\\)\\n(?=.)/g, "\\n\n") : line))
    .join("\n");
}
