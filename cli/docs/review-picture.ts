// docs/review.svg: the beginning of a review, as docs/review.md shows it.
import { readFileSync } from "node:fs";

import { wrap } from "../../lib/wrap.ts";
import { svg, text } from "./svg.ts";

/** Columns of the picture's text, and lines of the report that it shows. */
const COLUMNS = 104;
const LINES = 7;

/** The reports that a page shows, each between its marks. */
export const reportsIn = (page: string): string[] =>
  page
    .split("~~~markdown\n")
    .slice(1)
    .map((rest) => rest.split("\n~~~")[0] ?? "");

/**
 * The picture of the first report that a page shows.
 *
 * @param page docs/review.md, whose reports a test compares with what the tool writes
 */
export function reviewPicture(page: string): string {
  const [report = ""] = reportsIn(readFileSync(page, "utf8"));
  const shown = report.split("\n").filter((line) => line !== "");
  const lines = shown.slice(0, LINES).flatMap(drawn);
  const height = 40 + lines.length * 22;
  const drawnLines = lines.map(({ words, kind, indent }, index) =>
    text(24 + indent, 34 + index * 22, [words], kind),
  );
  return svg({ width: 820, height }, "A review of a change that a policy refuses", drawnLines);
}

/** A line of Markdown as lines of the picture: its marks become type and indentation. */
function drawn(line: string): { words: string; kind: string; indent: number }[] {
  const [, mark = "", rest = ""] = /^(#+ |\s*- |)(.*)$/.exec(line) ?? [];
  const bold = mark.startsWith("#") || /^\*\*[^*]+\*\*$/.test(line);
  const item = mark.includes("-");
  const indent = item ? 8 + mark.indexOf("-") * 10 : 0;
  const plain = rest.replace(/\*\*|`/g, "").replaceAll("&lt;", "<");
  return wrap(plain, COLUMNS).map((words, index) => ({
    words: item && index === 0 ? `• ${words}` : words,
    kind: bold ? "head" : "",
    indent: item && index > 0 ? indent + 10 : indent,
  }));
}
