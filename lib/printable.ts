/**
 * What a terminal may be told of text from outside, such as a branch's own code: escape sequences,
 * which move the cursor, write titles and hide lines, and marks that turn the direction of writing
 * become U+FFFD, each one. Newline and tab stay.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, "\ufffd");
}

/** C0 but newline and tab, DEL and C1, and the bidirectional controls of UAX #9. */
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
