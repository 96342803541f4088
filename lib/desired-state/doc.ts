/**
 * docs/settings.md: the desired state field by field, and what each generation of Stalwart's
 * settings does with it.
 */
import { withLinks } from "../citations.ts";
import { cell, table } from "../markdown.ts";
import { topDescription } from "./field-reference.ts";
import { type Cell, type MatrixRow, settingsMatrix } from "./support-matrix.ts";

const GENERATIONS = [
  ["keys", "0.15"],
  ["registry", "0.16, 1"],
] as const;

/** The page. */
export function settingsDoc(rows: readonly MatrixRow[] = settingsMatrix()): string {
  const tops = [...new Set(rows.map(topOf))];
  const alone = tops.filter((top) => rows.some(({ path }) => path === top));
  const parts = tops.filter((top) => !alone.includes(top));
  const page = `<!-- Made by \`npm run docs\` from lib/desired-state/. -->
# Settings

What tailwart declares of a Stalwart server (\`lib/desired-state/schema.ts\`), and where each field goes. The 0.15 line keeps
settings as keys (generation *keys*), later ones as objects of a registry (*registry*). The stack's config says the
least of it; the rest follows from what is deployed.

- **API**: written by the provider, shown by a preview and a refresh.
- **config file**: config.toml (0.15) or config.json; it goes with the container, which is made anew when it changes.
- **environment**: told to the entrypoint when the container starts.
- **refused**: said before anything is registered or sent; [why](#what-is-refused).
- **checked**: decides what other fields may be; the server is not told.
- **not kept**: the server has no place for it.

## At the top
${fieldTable(rows.filter(({ path }) => alone.includes(path)))}
${parts.map((top) => `\n## ${top}\n${topDescription(top)}\n\n${fieldTable(rows.filter((row) => topOf(row) === top))}`).join("\n")}

## What is refused
${refusals(rows)}
`;
  return withLinks(page, "../");
}

const topOf = ({ keys }: MatrixRow): string => String(keys[0]);

function fieldTable(rows: readonly MatrixRow[]): string {
  const lines = rows.map(({ path, description, accepts, fallback, cells }) => [
    code(path),
    cell(description),
    cell(accepts),
    code(fallback),
    ...GENERATIONS.map(([generation]) => placed(cells[generation])),
  ]);
  return table(["field", "what", "accepts", "default", ...GENERATIONS.map(([, line]) => line)], lines);
}

function placed({ places, otherwise, except }: Cell): string {
  const not = except.map(({ value }) => `, not ${code(String(value))}`).join("");
  return (otherwise ?? places.join(", ")) + not;
}

/** Each reason once, with the fields that it is given for. */
function refusals(rows: readonly MatrixRow[]): string {
  const lines = GENERATIONS.flatMap(([generation, line]) => {
    const reasons = new Map<string, string[]>();
    const add = (why: string, what: string) => reasons.set(why, [...(reasons.get(why) ?? []), what]);
    for (const { path, cells } of rows) {
      const { why, except } = cells[generation];
      if (why !== undefined) add(why, code(path));
      for (const { value, why: reason } of except) add(reason, `${code(path)} ${code(String(value))}`);
    }
    return [...reasons].map(([why, fields]) => `- ${line}: ${fields.join(", ")}: ${cell(why)}.`);
  });
  return lines.join("\n");
}

const code = (text: string): string => (/^(none|required)$/.test(text) ? text : `\`${cell(text)}\``);
