/** Blanks that would begin a line of their own, as one that the report says. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
/** C0, DEL and C1, which steer a terminal, and what turns the direction of writing. */
const CONTROLS = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text of a file, or its name, as one line that a terminal shows and does not obey. */
export const printable = (text: string): string => text.replace(BREAKS, " ").replace(CONTROLS, "\uFFFD");

/** The same of every text within a value. */
export function allPrintable<Value>(value: Value): Value {
  const made: unknown =
    typeof value === "string"
      ? printable(value)
      : Array.isArray(value)
        ? value.map(allPrintable)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, allPrintable(inner)]))
          : value;
  return made as Value;
}
