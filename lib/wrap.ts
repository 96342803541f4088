/**
 * Breaks a text at its blanks; a word that is longer than a line keeps one to itself.
 *
 * @param columns that a line has at most
 * @param first what the first line begins with
 * @param rest what each further line begins with
 * @example wrap("a bc d", 4, "- ", "  ") // ["- a", "  bc", "  d"]
 */
export function wrap(text: string, columns: number, first = "", rest = first): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(" ")) {
    if (!empty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

/** A text with one blank in the place of each run of blanks and line ends. */
export const onOneLine = (text: string): string => text.split(/\s+/).join(" ");
