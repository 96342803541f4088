import type { Change, PropertyChange } from "./changes.ts";
import { block, code, indent, text } from "./markdown-text.ts";
import { nameOf, type Report, typeOf } from "./model.ts";

/** Ways to say less, the gentlest first. */
export const DETAILS = ["values", "names", "counts"] as const;
export type Detail = (typeof DETAILS)[number];

/** A resource by its name and type. */
export const resource = (urn: string) => `**${text(nameOf(urn))}** (${code(typeOf(urn))})`;

/** What is made, changed, replaced and taken away, property by property. */
export function changesSection({ changes, counts, kind, base }: Report, detail: Detail): string {
  if (kind === "audit") return "";
  if (base?.unknown !== undefined) return `### What changes\n\nNot known: ${text(base.unknown)}.`;
  const same = counts["same"] === undefined ? "" : `, ${counts["same"]} unchanged`;
  const numbers = Object.entries(counts)
    .filter(([op]) => op !== "same")
    .map(([op, number]) => `${number} to ${op}`);
  const title = `### What changes\n\n${numbers.join(", ") || "Nothing"}${same}.`;
  if (changes.length === 0 || detail === "counts") return title;
  const made = changes.filter(({ op }) => op === "create" || op === "read");
  const changed = changes.filter((change) => !made.includes(change));
  const list = changeItems(changed, detail);
  const created = made.map(({ urn }) => `- ${resource(urn)}`).join("\n");
  return [
    title,
    ...(list ? [list] : []),
    ...(created ? [`<details><summary>${made.length} to create</summary>\n\n${created}\n\n</details>`] : []),
  ].join("\n\n");
}

/** Changes as a list; lines that differ in several places are shown at the first of them. */
export function changeItems(changes: readonly Change[], detail: Detail): string {
  const shown = new Map<string, string>();
  return changes
    .map(({ op, urn, properties }) => {
      const head = `- ${op} ${resource(urn)}`;
      if (detail === "counts") return head;
      return [head, ...properties.map((property) => propertyItem(urn, property, detail, shown))].join("\n");
    })
    .join("\n");
}

function propertyItem(
  urn: string,
  property: PropertyChange,
  detail: Detail,
  shown: Map<string, string>,
): string {
  const { path, old, new: next, lines, follows, replaces } = property;
  const head = `  - ${code(path)}${replaces ? " (replaces)" : ""}`;
  if (detail !== "values") return head;
  if (follows !== undefined) return `${head}: another, since **${text(nameOf(follows))}** is replaced`;
  if (lines !== undefined) {
    const first = shown.get(lines);
    if (first !== undefined) return `${head}: the same lines as ${first}`;
    shown.set(lines, `**${text(nameOf(urn))}** ${code(path)}`);
    return `${head}\n\n${indent(block(lines, "diff"))}\n`;
  }
  if (old === next) return `${head}: ${code(old ?? "")}, and it differs`;
  if (old === undefined) return `${head}: ${code(next ?? "")} is new`;
  if (next === undefined) return `${head}: ${code(old)} goes`;
  return `${head}: ${code(old)} → ${code(next)}`;
}
