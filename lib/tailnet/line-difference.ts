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
  const marked = compare(before.split("\n"), after.split("\n"));
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

/** Longest common subsequence; policy files have hundreds of lines, not millions. */
function compare(before: readonly string[], after: readonly string[]): [" " | "-" | "+", string][] {
  const lengths = Array.from({ length: before.length + 1 }, () =>
    new Array<number>(after.length + 1).fill(0),
  );
  const at = (row: number, column: number) => lengths[row]?.[column] ?? 0;
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      const same = before[row] === after[column];
      lengths[row]![column] = same
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const result: [" " | "-" | "+", string][] = [];
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    const [left, right] = [before[row], after[column]];
    if (left !== undefined && left === right) {
      result.push([" ", left]);
      row++;
      column++;
    } else if (left !== undefined && (right === undefined || at(row + 1, column) >= at(row, column + 1))) {
      result.push(["-", left]);
      row++;
    } else if (right !== undefined) {
      result.push(["+", right]);
      column++;
    }
  }
  return result;
}
