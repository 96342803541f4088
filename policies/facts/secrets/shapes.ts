// Repetitions have an upper bound: a text of a megabyte must not take a minute.

/** Credentials that are recognised by their shape. All shapes of an entry must match. */
const SHAPES: readonly (readonly [what: string, ...shapes: RegExp[]])[] = [
  ["a Tailscale key", /tskey-[a-z]+-[\w-]{8,}/g],
  [
    "a private key",
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr]){0,9}[A-Za-z0-9+/][A-Za-z0-9+/ :,=-]{3,}/g,
  ],
  // The id alone is no secret.
  [
    "an AWS access key with its secret",
    /(?<![\w/+])[\w/+]{40}(?![\w/+=])/g,
    /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])/g,
  ],
  ["a GitHub token", /(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})/g],
  ["a GitLab token", /(?<!\w)glpat-[\w-]{20,}/g],
  ["a Slack token", /(?<!\w)(?:xox[a-z]|xapp-\d)-[\w-]{10,}/g],
  ["a Docker access token", /(?<!\w)dckr_pat_[\w-]{20,}/g],
  ["a Pulumi access token", /(?<!\w)pul-[0-9a-f]{40}(?!\w)/g],
  ["a Stripe key", /(?<!\w)[rs]k_live_\w{16,}/g],
  ["a Google API key", /(?<!\w)AIza[\w-]{35}(?![\w-])/g],
];

/** Credentials whose place gives them away; the group is what must be a literal. */
const PLACES: readonly (readonly [what: string, place: RegExp])[] = [
  [
    "a URL with its password",
    /\b[a-z][a-z\d+.-]{1,20}:\/\/[^\s:/@?#"'<>]{0,200}:([^\s/@?#"'<>]{1,500})@(?!sha256:)/gi,
  ],
  [
    "an Authorization header",
    /\bauthorization["']?\s{0,3}[:=]?\s{0,3}["']?(?:basic|bearer|token)\s{1,3}([^\s"'`]{1,4000})/gi,
  ],
];

const SUSPICIOUS =
  /pass|secret|token|key|pwd|psk|credential|authorization|gh[pousr]_|github_pat|glpat|xox|xapp|AIza|dckr|pul-|_live_|A[KS]IA|_(?:admin|auth|login)|basic_?auth|acme_dns|\bdns [a-z\d]+ \S{16}|:\/\/[^\s/]{0,800}@|\\u00/i;

/** Whether a text can hold any of these: a tenth of the cost, and most texts have none. */
export const isSuspicious = (text: string): boolean => SUSPICIOUS.test(text);

/** The last words decide: PASSWORD_FILE, TOKEN_URL and secretName name no secret. */
const SECRET_NAME =
  /(?:password|passwd|passphrase|secret|token|api_?key|auth_?key|secret_key_base|(?:^|_|db|sql|redis|postgres|root|admin|user|mail|smtp|imap|ldap)(?:pass|pwd|psk)|(?:^|_)credentials?|(?:private|secret|access|encryption|signing|session|master|jwt|account)_?key)(?:_?\d{1,3})?$/;

/** References: the value itself is elsewhere. `$__file{…}` and its like are Grafana's. */
const REFERENCES =
  /%\{[^}]{1,200}\}%|\$\{[^}]{1,200}\}|\{\{[^}]{0,200}\}\}|\{(?:\$|env\.|file\.)[^}]{1,200}\}|\$__(?:file|env|vault)\{[^}]{1,200}\}|\$\([^)]*\)?|`[^`]*`?|\$[A-Z_][A-Z0-9_]*\b/g;
const HASH =
  /^(?:\$(?:2[abxy]?|5|6|7|y|gy|scrypt|argon2\w*|pbkdf2[\w-]*)\$|\{(?:S?SHA|SSHA\d*|CRYPT)[\w-]*\})/i;
const WORD =
  /^(?:[01]|true|false|yes|no|on|off|none|null|nil|undefined|auto|default|required|optional|enabled|disabled)$/i;
const PATH = /^(?:file:(?:\/\/)?)?(?:~|\.{1,2})?(?:\/[\w.@-]+)+\/?$/;
/** The whole value names an entry of a secret manager or a variable, or is what SOPS encrypted. */
const KEPT_ELSEWHERE =
  /^(?:arn:aws[\w-]*:(?:secretsmanager|ssm):[\w:/.+=@-]+|vault:[\w./-]+#[\w.-]+|ssm:(?:\/[\w.-]+)+|(?:[a-z]+:){0,2}projects\/[\w-]+\/secrets\/[\w-]+(?:\/versions\/\w+)?|env:[A-Z_][A-Z0-9_]*|ENC\[AES256_GCM,[^\]]*\])$/;
/** Of an AWS access key the half that is no secret, whatever a program calls it. */
const AWS_KEY_ID = /^(?:AKIA|ASIA)[A-Z2-7]{16}$/;
const PLACEHOLDER = /^(?:[*x•.…_-]+|<[^>]*>|\[[^\]]*\])$/i;

const NO_SECRETS: readonly RegExp[] = [HASH, WORD, PATH, PLACEHOLDER, KEPT_ELSEWHERE, AWS_KEY_ID];

/** @example isSecretName("dbPassword") && !isSecretName("PASSWORD_FILE") */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z\d]+/g, "_")
    .toLowerCase();
  return words !== "pwd" && SECRET_NAME.test(words);
}

/** Whether a value is a secret itself: no reference, path, hash, placeholder, switch or address. */
export function isLiteralSecret(value: string): boolean {
  const text = unquoted(value);
  if (text === "" || NO_SECRETS.some((shape) => shape.test(text))) return false;
  if (/^[a-z][a-z\d+.-]*:\/\/[^\s@]*$/i.test(text)) return false;
  const rest = text.replace(REFERENCES, "");
  // Few letters beside a reference are the form around it, such as `Bearer ${TOKEN}`.
  return rest === text || rest.replace(/\s/g, "").length >= 8;
}

/**
 * Whether a variable holds a user with the password: `STALWART_RECOVERY_ADMIN=admin:…`,
 * `BASIC_AUTH=alice:…`, `NEO4J_AUTH=neo4j/…`. A host with its port, or a hash, is none.
 */
export function isLogin(name: string, value: string): boolean {
  if (!/(?:^|_)(?:admin|auth|basic_?auth|login)$/i.test(name)) return false;
  const login = /^neo4j_auth$/i.test(name) ? /^([^/]*)\/(.*)$/s : /^([^:]*):(.*)$/s;
  const [, user = "", password = ""] = login.exec(unquoted(value)) ?? [];
  return (
    /^[\w.@+-]{1,100}$/.test(user) &&
    !/^(?:\d*$|\/|\$?\$apr1\$|\$\$2[aby]?\$)/.test(password) &&
    isLiteralSecret(password)
  );
}

/** A value without the blanks and the quotes around it. */
const unquoted = (value: string): string => value.trim().replace(/^(["'])(.*)\1$/, "$2");

export interface ShapeFound {
  readonly what: string;
  /** The text itself, so that it can be kept out of messages. */
  readonly match: string;
}

/** A shell's variable, in small letters too. No token looks like one, and hardly a password. */
const isVariable = (text: string): boolean => /^\$[A-Za-z_]\w*$/.test(text);

/** Every credential in a text that its shape or its place gives away. */
export function secretShapesIn(text: string): ShapeFound[] {
  const found: ShapeFound[] = [];
  for (const [what, shape, ...others] of SHAPES) {
    if (shape === undefined || others.some((other) => text.search(other) < 0)) continue;
    for (const [match] of text.matchAll(shape)) if (!isMasked(match)) found.push({ what, match });
  }
  for (const [what, place] of PLACES) {
    for (const [match, value = ""] of text.matchAll(place))
      if (isLiteralSecret(value) && !isMasked(value) && !isVariable(value)) found.push({ what, match });
  }
  return found;
}

/** Examples of documentation: `tskey-auth-xxxx`, `wJalr…EXAMPLEKEY`. */
const isMasked = (text: string): boolean => /(?:[x*•.…]{4}|EXAMPLE(?:KEY)?)$/i.test(text.trim());

/** `NAME=value`, `name: value` at a line's beginning, `"name": "value"`, and `--name value`. */
const ASSIGNMENTS: readonly RegExp[] = [
  /(?:^|[\s;&|?"'`({,-])([A-Za-z][\w.-]{0,80})["']?[ \t]{0,9}:?=[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s"'`;&|]+)/gm,
  /^[ \t]*(?:- )?["']?([A-Za-z][\w.-]{0,80})["']?[ \t]{0,9}:[ \t]+("[^"\n]*"|'[^'\n]*'|[^\s#][^\n#]*)/gm,
  /["']([A-Za-z][\w.-]{0,80})["'][ \t]{0,9}:[ \t]{0,9}("[^"\n]*"|'[^'\n]*')/g,
  /(?:^|\s)--?([A-Za-z][\w-]{0,80})[ \t]+("[^"\n]*"|'[^'\n]*'|[^\s"'`;&|-][^\s"'`;&|]*)/gm,
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
  return [...names];
}

/** What a program computes or a shell fills in: `$1`, `read(path)`, `config.password`. */
function isCode(value: string): boolean {
  if (/^["']/.test(value)) return /^["']\$\w+["']$/.test(value);
  const dotted = /^[A-Za-z_]\w*(?:\.\w+)+[,;)]*$/.test(value) && isSecretName(value.replace(/[,;)]+$/, ""));
  return /^[$=!~&*]|^[\w.]*[([{]/.test(value) || dotted;
}
