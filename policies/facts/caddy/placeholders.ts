/**
 * What stands for a value in a Caddy config: https://caddyserver.com/docs/conventions#placeholders
 */

/** Those that stand for one value as long as Caddy runs; all others are of a connection. */
const FIXED = /\{(?:\$|env\.|file\.|system\.|template\b)[^{}]*\}/;

/** The placeholder in a text that stands for one value, which is not known here. */
export const openPlaceholder = (text: string): string | undefined => FIXED.exec(text)?.[0];

/** Why something with a placeholder cannot be judged. */
export const becauseOf = (placeholder: string): string =>
  `${placeholder} stands for a value that is only known where Caddy runs`;

/**
 * Whether two names of which one has a placeholder can be the same: not where both say different
 * things in front of it or behind it.
 */
export function couldBeSame(a: string, b: string): boolean {
  if (a === b) return true;
  if (!openPlaceholder(a) && !openPlaceholder(b)) return false;
  const [first, second] = [a.split("."), b.split(".")];
  while (first.length > 0 && first.at(-1) === second.at(-1)) {
    first.pop();
    second.pop();
  }
  const differ = (one: string | undefined, other: string | undefined): boolean =>
    one === undefined || other === undefined || (isSaid(one) && isSaid(other) && one !== other);
  return !differ(first[0], second[0]) && !differ(first.at(-1), second.at(-1));
}

const isSaid = (label: string): boolean => label !== "*" && !/[{}]/.test(label);

/** A name as it is compared; variables are spelled as they are. */
export const plainPattern = (name: string): string =>
  name
    .trim()
    .replace(/\.$/, "")
    .replace(/(\{[^{}]*\})|[^{}]+/g, (part, variable?: string) => variable ?? part.toLowerCase());
