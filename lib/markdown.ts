/** Text as it may stand in a table's cell. */
export const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

/** A table: its head, and a row of cells a line. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [
    `| ${head.join(" | ")} |`,
    `|${"---|".repeat(head.length)}`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ].join("\n");
