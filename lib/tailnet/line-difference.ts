import { diffArrays } from "diff";

/** Lines kept around a difference, so that the reader sees where it is. */
const CONTEXT = 1;

/**
 * A readable difference of two texts, line by line: `- ` only in the first, `+ ` only in the
 * second, two spaces for a line around them. Empty when the texts are the same to the byte.
 *
 * @example lineDifference("a\nb", "a\nc") === "  a\n- b\n+ c"
 */
export function lineDifference(before: string, after: string): string {
  if (before === after) return "";
  const marked = diffArrays(before.split("\n"), after.split("\n")).flatMap(({ added, removed, value }) =>
    value.map((line) => [added ? "+" : removed ? "-" : " ", line] as const),
  );
  const shown = marked.filter((_, index) =>
    marked.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(([mark]) => mark !== " "),
  );
  // A carriage return or a trailing space would else be invisible.
  return shown
    .map(
      ([mark, line]) =>
        `${mark} ${mark === " " ? line : line.replace(/[ \t\r]+$/, (blank) => JSON.stringify(blank).slice(1, -1))}`,
    )
    .join("\n");
}
