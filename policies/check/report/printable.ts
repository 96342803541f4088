import { printable } from "../../../lib/printable.ts";

/** Blanks that would begin a line of their own, as one that the report says. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;

/** A text of a file, or its name, as one line that a terminal shows and does not obey. */
export const printableLine = (text: string): string => printable(text.replace(BREAKS, " "));

/** The same of every text within a value. */
export function allPrintable<Value>(value: Value): Value {
  const made: unknown =
    typeof value === "string"
      ? printableLine(value)
      : Array.isArray(value)
        ? value.map(allPrintable)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, allPrintable(inner)]))
          : value;
  return made as Value;
}
