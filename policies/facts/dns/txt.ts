/** The strings of a TXT value in quotes, with or without blanks between them (RFC 1035 §5.1). */
function quotedStrings(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, inner = ""]) => inner.replace(/\\(.)/gs, "$1"));
}

/**
 * The strings of a TXT value as a program writes it: in quotes one or several, without quotes one.
 *
 * @param wraps true for a provider that puts quotes around what has none, so that `""` inside
 *   divides the value
 * @example stringsOf('"v=DKIM1; p=MII" "Bog"', false) → ["v=DKIM1; p=MII", "Bog"]
 */
export function stringsOf(value: string, wraps: boolean): string[] {
  const text = value.trim();
  if (/^".*"$/s.test(text)) return quotedStrings(text);
  return wraps ? quotedStrings(`"${text}"`) : [text];
}

/**
 * A list of tags such as `v=DKIM1; k=rsa; p=…` (RFC 6376 §3.2), by their names in lower case. The
 * first of a tag counts.
 */
export function tagsOf(text: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const part of text.split(";")) {
    const [, name, value = ""] = /^\s*([a-z]\w*)\s*=\s*(.*?)\s*$/is.exec(part) ?? [];
    if (name !== undefined && !tags.has(name.toLowerCase())) tags.set(name.toLowerCase(), value);
  }
  return tags;
}
