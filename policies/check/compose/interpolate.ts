import type { At } from "../located.ts";
import { UnreadableInput } from "../yaml.ts";

/** What Linux takes as one variable; values that name each other twice double with each. */
const MAX_LENGTH = 131_072;
/** Far more than anybody can read. */
const MAX_DEPTH = 32;

/** A variable's value, and whether it comes from where secrets may stand. */
export interface Variable {
  readonly value: string;
  readonly isHidden: boolean;
}

export type Variables = ReadonlyMap<string, Variable>;

export interface Interpolated {
  /** What Compose makes of it; `${NAME}` stays where a variable has no value here. */
  readonly text: string;
  /** The same with `${NAME}` for each hidden value. */
  readonly written: string;
  readonly unset: readonly string[];
}

const NOWHERE: At = { file: "", line: 1 };
const NAME = /[A-Za-z_]\w*/y;

/**
 * Fills in `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?error}` and `${NAME:+other}`, which may
 * be nested; `$$` is a dollar sign.
 *
 * @param at where it is written
 * @throws UnreadableInput for what is nested too deep, or becomes too long
 * @see https://docs.docker.com/reference/compose-file/interpolation/
 */
export function interpolate(source: string, variables: Variables, at = NOWHERE): Interpolated {
  let [text, written] = ["", ""];
  const unset: string[] = [];
  const add = (part: Interpolated): void => {
    text += part.text;
    written += part.written;
    unset.push(...part.unset);
  };
  for (let from = 0; from < source.length;) {
    const next = source.indexOf("$", from);
    const plain = source.slice(from, next < 0 ? undefined : next);
    add({ text: plain, written: plain, unset: [] });
    if (next < 0) break;
    const found = source[next + 1] === "$" ? DOLLAR : referenceAt(source, next, variables, at);
    add(found);
    if (text.length > MAX_LENGTH) throw new UnreadableInput(at, "a value with variables in it is too long");
    from = next + found.length;
  }
  return { text, written, unset };
}

type Found = Interpolated & { readonly length: number };

const DOLLAR: Found = { text: "$", written: "$", unset: [], length: 2 };

function referenceAt(source: string, start: number, variables: Variables, at: At): Found {
  const isBraced = source[start + 1] === "{";
  NAME.lastIndex = start + (isBraced ? 2 : 1);
  const name = NAME.exec(source)?.[0];
  if (name === undefined) return { text: "$", written: "$", unset: [], length: 1 };
  if (!isBraced) return { ...valueOf(name, undefined, "", variables, at), length: name.length + 1 };
  const from = start + 2 + name.length;
  const end = closingBrace(source, from, at);
  const [, operator, rest = ""] = /^(:?[-?+])?([^]*)$/.exec(source.slice(from, end)) ?? [];
  if (end < 0 || (operator === undefined && rest !== ""))
    return { text: "$", written: "$", unset: [], length: 1 }; // Compose refuses it
  return { ...valueOf(name, operator, rest, variables, at), length: end + 1 - start };
}

function closingBrace(source: string, from: number, at: At): number {
  let depth = 1;
  for (let index = from; index < source.length; index++) {
    if (source[index] === "}" && --depth === 0) return index;
    if (source.startsWith("${", index) && ++depth > MAX_DEPTH)
      throw new UnreadableInput(at, "variables are nested too deep");
  }
  return -1;
}

function valueOf(
  name: string,
  operator: string | undefined,
  rest: string,
  variables: Variables,
  at: At,
): Interpolated {
  const variable = variables.get(name);
  const isEmpty = operator?.startsWith(":") === true && variable?.value === "";
  const isSet = variable !== undefined && !isEmpty;
  const kind = operator?.at(-1);
  if (kind === "+") return isSet ? interpolate(rest, variables, at) : { text: "", written: "", unset: [] };
  if (isSet) {
    const { value, isHidden } = variable;
    return { text: value, written: isHidden ? `\${${name}}` : value, unset: [] };
  }
  if (kind === "-") return interpolate(rest, variables, at);
  return { text: `\${${name}}`, written: `\${${name}}`, unset: [name] };
}
