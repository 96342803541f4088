/** Text as Markdown shows it, whatever is in it. */
export const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
export const indent = (lines: string) => lines.replace(/^/gm, "    ");

/**
 * A code span: its fence is longer than any run of backticks in it, and it stays on one line and in
 * its table's cell.
 */
export function code(value: string): string {
  const flat = value.replace(/\s*\n\s*/g, " ").replaceAll("|", "\\|");
  const fence = "`".repeat(Math.max(0, ...[...flat.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  const space = flat.startsWith("`") || flat.endsWith("`") || flat === "" ? " " : "";
  return `${fence}${space}${flat}${space}${fence}`;
}

/**
 * Words from outside, such as a branch's own code: no HTML, link, image, mention or table cell of
 * theirs. Code spans are kept.
 */
export function text(value: string): string {
  const flat = value.replace(/\s*\n\s*/g, " ");
  const pieces = flat.split(/(`[^`]+`)/);
  return pieces.map((piece, index) => (index % 2 === 1 ? code(piece.slice(1, -1)) : escape(piece))).join("");
}

const escape = (piece: string) =>
  piece
    .replace(/[\\*_[\]|`~#]/g, "\\$&")
    .replaceAll("<", "&lt;")
    .replace(/@(?=\w)/g, "@\u2060");

export function block(content: string, language = "text"): string {
  const fence = "`".repeat(Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  return `${fence}${language}\n${content}\n${fence}`;
}

/** A list that was cut in the middle of a fold must not swallow what follows. */
export function closeDetails(cut: string): string {
  const open = cut.split("<details>").length - cut.split("</details>").length;
  return cut + "\n\n</details>".repeat(Math.max(0, open));
}
