import { passwordsInText } from "./command-lines.ts";
import { isLiteralSecret, isLogin, isSecretName } from "./literals.ts";

/** `NAME=value`, `name: value` at a line's beginning, and `"name": "value"`. */
const ASSIGNMENTS: readonly RegExp[] = [
  /(?:^|[\s;&|?"'`({,-])([A-Za-z][\w.-]{0,80})["']?[ \t]{0,9}:?=[ \t]*("[^"\n]*"|'[^'\n]*'|<[^<>\n]*>|[^\s"'`;&|]+)/gm,
  /^[ \t]*(?:- )?["']?([A-Za-z][\w.-]{0,80})["']?[ \t]{0,9}:[ \t]+("[^"\n]*"|'[^'\n]*'|[^\s#][^\n#]*)/gm,
  /["']([A-Za-z][\w.-]{0,80})["'][ \t]{0,9}:[ \t]{0,9}("[^"\n]*"|'[^'\n]*')/g,
];

/** `name value` as the whole of a line: Caddyfiles, msmtp's and many clients' files. */
const NAME_AND_VALUE = /^[ \t]*([A-Za-z][\w-]{0,80})[ \t]+(\S{8,})[ \t]*$/gm;
/** Caddy's DNS providers take their token behind the provider's name; netrc has its own words. */
const BY_WORDS: readonly RegExp[] = [
  /^[ \t]*(acme_dns|dns)[ \t]+[a-z][\w.]{1,40}[ \t]+(\S{16,})[ \t]*$/gm,
  /(?:machine[ \t]+\S{1,200}|^default)\s+login\s+\S{1,200}\s+(password)\s+(\S{4,})/gm,
];

/** Names of secrets that a plain text (a script, INI, YAML, a Caddyfile) gives a literal. */
export function assignedSecretsIn(text: string): string[] {
  const names = new Set<string>();
  const isValue = (value: string) => isLiteralSecret(value) && !isCode(value);
  for (const shape of ASSIGNMENTS) {
    for (const [, name = "", value = ""] of text.matchAll(shape))
      if ((isSecretName(name) && isValue(value)) || isLogin(name, value)) names.add(name);
  }
  for (const [, name = "", value = ""] of text.matchAll(NAME_AND_VALUE))
    if (isSecretName(name) && isValue(value)) names.add(name);
  for (const shape of BY_WORDS)
    for (const [, name = "", value = ""] of text.matchAll(shape)) if (isValue(value)) names.add(name);
  for (const name of passwordsInText(text)) names.add(name);
  return [...names];
}

/** What a program computes or a shell fills in: `$1`, `read(path)`, `config.password`. */
function isCode(value: string): boolean {
  if (/^["']/.test(value)) return /^["']\$\w+["']$/.test(value);
  const dotted = /^[A-Za-z_]\w*(?:\.\w+)+[,;)]*$/.test(value) && isSecretName(value.replace(/[,;)]+$/, ""));
  return /^[$=!~&*]|^[\w.]*[([{]/.test(value) || dotted;
}
