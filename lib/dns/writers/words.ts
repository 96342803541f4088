import { wrap } from "../../wrap.ts";
import type { Note } from "../draft.ts";

/** Columns of a line, as a terminal has them. */
export const WIDTH = 80;

/** How many names a note lists; of a thousand domains the rest is counted. */
const LISTED = 5;

const HEADINGS = {
  missing: "Missing:",
  "set elsewhere": "Set by others:",
  "left out": "Left out:",
} as const;

/**
 * What is said beside the records, as lines of text.
 *
 * @param indent what each line begins with, such as "; " in a zone file
 */
export function noteLines(notes: readonly Note[], indent = ""): string[] {
  return (Object.keys(HEADINGS) as Note["state"][]).flatMap((state) => {
    const those = notes.filter((note) => note.state === state);
    const lines = those.flatMap(({ what, need, of, why, instead }) => {
      const more = of.length > LISTED ? ` and ${of.length - LISTED} more` : "";
      const optional = state === "missing" && need === "recommended" ? " (recommended)" : "";
      const text = `${what}${optional}: ${of.slice(0, LISTED).join(", ")}${more}: ${why}`;
      return [
        ...wrap(text, WIDTH, `${indent}  `, `${indent}    `),
        ...(instead === undefined ? [] : wrap(`→ ${instead}`, WIDTH, `${indent}    `, `${indent}      `)),
      ];
    });
    return lines.length === 0 ? [] : [`${indent}${HEADINGS[state]}`, ...lines];
  });
}

/** What everybody must know who writes the records. */
export const ONE_EACH =
  "A name has one v=spf1, one v=DMARC1, one v=STSv1 and one v=TLSRPTv1 record: take an old one away first. Two count as an error, or as none (lesson 18).";
