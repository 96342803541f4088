/**
 * The page of a lesson, from the project's folder.
 * @example lessonPage(6) === "docs/lessons/06.md"
 */
export const lessonPage = (lesson: number | string) => `docs/lessons/${String(lesson).padStart(2, "0")}.md`;

/**
 * Makes a page's numbers links: each lesson to its page, each decision to the design.
 *
 * @param up from the page to the project's folder, such as "" or "../"
 * @example withLinks("no address (lesson 6)", "") // "no address ([lesson 6](docs/lessons/06.md))"
 */
export function withLinks(markdown: string, up: string): string {
  const lesson = (text: string, number: string) => `[${text}](${up}${lessonPage(number)})`;
  return markdown
    .replace(/\b(lessons? (\d+))(?: and (\d+))?\b/g, (_, first: string, one: string, other?: string) =>
      [lesson(first, one), ...(other ? [lesson(other, other)] : [])].join(" and "),
    )
    .replace(/\b(decision \d+)\b/g, `[$1](${up}docs/design.md)`);
}
