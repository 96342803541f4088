import { interpolate, type Interpolated, type Variable, type Variables } from "./interpolate.ts";

/** One variable of an env file, and the line that it begins at. */
export interface EnvEntry extends Interpolated {
  readonly name: string;
  readonly line: number;
}

const ASSIGNMENT =
  /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*[=:][ \t]*(?:'((?:[^'\\]|\\[^])*)'|"((?:[^"\\]|\\[^])*)"|([^\n]*))/gm;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * Reads an env file as Compose does: single quotes keep all as it is, double quotes know `\n`, a
 * value without quotes ends before ` #`; values may name variables that are given before them.
 *
 * @param isHidden whether git leaves the file out, so that secrets may stand in it
 * @param isRaw Compose's `format: raw`: nothing is filled in, and no quotes are taken off
 * @param file as it is reported
 * @see https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
 */
export function readEnvFile(
  text: string,
  known: Variables,
  isHidden: boolean,
  isRaw = false,
  file = "",
): EnvEntry[] {
  const entries: EnvEntry[] = [];
  const variables = new Map<string, Variable>(known);
  const lines = text.replaceAll("\r\n", "\n");
  let [line, counted] = [1, 0];
  for (const match of lines.matchAll(ASSIGNMENT)) {
    const [whole, name = "", single, double, bare = ""] = match;
    const start = match.index + (whole.length - whole.trimStart().length);
    for (let at = lines.indexOf("\n", counted); at >= 0 && at < start; at = lines.indexOf("\n", counted)) {
      line += 1;
      counted = at + 1;
    }
    const value = isRaw ? rawValue(lines, match.index) : (single ?? double ?? bare);
    const isLiteral = isRaw || single !== undefined;
    const unescaped =
      double !== undefined && !isRaw
        ? value.replace(/\\(["\\$nrt])/g, (_, char: string) =>
            char === "$" ? "$$" : (ESCAPES[char] ?? char),
          )
        : value;
    const plain =
      single === undefined && double === undefined && !isRaw
        ? bare.replace(/(?:^|[ \t])#.*$/, "").trim()
        : unescaped;
    const filled = isLiteral
      ? { text: plain, written: plain, unset: [] }
      : interpolate(plain, variables, { file, line });
    const entry = isHidden ? { ...filled, written: `\${${name}}` } : filled;
    entries.push({ name, line, ...entry });
    variables.set(name, { value: filled.text, isHidden });
  }
  return entries;
}

const rawValue = (text: string, from: number): string =>
  /^[^=]*=(.*)/.exec(
    text.slice(from, text.indexOf("\n", from) < 0 ? undefined : text.indexOf("\n", from)),
  )?.[1] ?? "";
