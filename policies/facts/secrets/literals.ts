/** Which names mean a secret, and which values are one: the words that all readers share. */

/** The last words decide: PASSWORD_FILE, TOKEN_URL and secretName name no secret. */
const SECRET_NAME =
  /(?:password|passwd|passphrase|secret|token|api_?key|auth_?key|secret_key_base|(?:^|_|db|sql|redis|postgres|root|admin|user|mail|smtp|imap|ldap|ssh|require|store|key)(?:pass|pwd|psk)|masterauth|rediscli_auth|(?:root|bind|admin|user)_?pw|(?:^|_)credentials?|(?:private|secret|access|encryption|signing|session|master|jwt|account)_?key|(?:sendgrid|mailgun|postmark|brevo|sendinblue|resend|mailjet|sparkpost|mailersend|smtp)_?key|apikey_private)(?:_?\d{1,3})?$/;

/** References: the value itself is elsewhere. `$__file{…}` and its like are Grafana's. */
const REFERENCES =
  /%\{[^}]{1,200}\}%|\$\{[^}]{1,200}\}|\{\{[^}]{0,200}\}\}|\{(?:\$|env\.|file\.)[^}]{1,200}\}|\$__(?:file|env|vault)\{[^}]{1,200}\}|\$\([^)]*\)?|`[^`]*`?|\$[A-Z_][A-Z0-9_]*\b/g;
/** Compose writes each dollar twice. The last is bcrypt in base64, as Caddy had it before 2.8. */
const HASH =
  /^(?:\$\$?(?:1|2[abxy]?|5|6|7|y|gy|apr1|scrypt|argon2\w*|pbkdf2[\w-]*)\$|\{(?:S?SHA|SSHA\d*|CRYPT|S?MD5|BLF|ARGON2|PBKDF2|SCRAM)[\w-]*\}|SCRAM-SHA-\d+\$|md5[\da-f]{32}$|JDJ[hi5]JD[\w+/=]{70,}$)/i;
const WORD =
  /^(?:[01]|true|false|yes|no|on|off|none|null|nil|undefined|auto|default|required|optional|enabled|disabled|stdin|fd:\d+)$/i;
const PATH = /^(?:file:(?:\/\/)?)?(?:~|\.{1,2})?(?:\/[\w.@-]+)+\/?$/;
/** The whole value names an entry of a secret manager or a variable, or is what SOPS encrypted. */
const KEPT_ELSEWHERE =
  /^(?:arn:aws[\w-]*:(?:secretsmanager|ssm):[\w:/.+=@-]+|vault:[\w./-]+#[\w.-]+|ssm:(?:\/[\w.-]+)+|(?:[a-z]+:){0,2}projects\/[\w-]+\/secrets\/[\w-]+(?:\/versions\/\w+)?|env:[A-Z_][A-Z0-9_]*|ENC\[AES256_GCM,[^\]]*\])$/;
/** Of an AWS access key the half that is no secret, whatever a program calls it. */
const AWS_KEY_ID = /^(?:AKIA|ASIA)[A-Z2-7]{16}$/;
/** Postmark's own, with which its API takes a message and sends none. */
const TEST_KEY = /^POSTMARK_API_TEST$/;
const PLACEHOLDER = /^(?:[*x•.…_-]+|<[^>]*>|\[[^\]]*\])$/i;

const NO_SECRETS: readonly RegExp[] = [HASH, WORD, PATH, PLACEHOLDER, KEPT_ELSEWHERE, AWS_KEY_ID, TEST_KEY];

/** @example isSecretName("dbPassword") && !isSecretName("PASSWORD_FILE") */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z\d]+/g, "_")
    .toLowerCase();
  return words !== "pwd" && SECRET_NAME.test(words);
}

/** A text with one variable instead of each reference, so that it can be cut at its marks. */
export const withoutReferences = (text: string): string => text.replace(REFERENCES, "${REF}");

/** Whether a value is a secret itself: no reference, path, hash, placeholder, switch or address. */
export function isLiteralSecret(value: string): boolean {
  const text = unquoted(value);
  if (text === "" || NO_SECRETS.some((shape) => shape.test(text))) return false;
  if (/^[a-z][a-z\d+.-]*:\/\/[^\s@]*$/i.test(text)) return false;
  const rest = text.replace(REFERENCES, "");
  // Few letters beside a reference are the form around it, such as `Bearer ${TOKEN}`.
  // Tailscale takes what a node is to be like behind its key: `${TS_AUTHKEY}?ephemeral=true`.
  const form = rest.replace(/^\?[a-z]+=\w+(?:&[a-z]+=\w+)*$/, "");
  return rest === text || form.replace(/\s/g, "").length >= 8;
}

/** What stands before a colon where a variable picks how to log in. */
const METHOD = /^(?:oidc|oauth2?|saml|ldaps?|basic|bearer|token|jwt|cas|proxy|header|none)$/i;

/**
 * Whether a variable holds a user with the password: `STALWART_RECOVERY_ADMIN=admin:…`,
 * `BASIC_AUTH=alice:…`, `NEO4J_AUTH=neo4j/…`. A host with its port, or a hash, is none.
 */
export function isLogin(name: string, value: string): boolean {
  if (!/(?:^|[._-])(?:admin|auth|basic[_-]?auth|login)$/i.test(name)) return false;
  const login = /^neo4j_auth$/i.test(name) ? /^([^/]*)\/(.*)$/s : /^([^:]*):(.*)$/s;
  const [, user = "", password = ""] = login.exec(unquoted(value)) ?? [];
  if (METHOD.test(user) || /^(?:\d*(?:$|\/)|\/)/.test(password)) return false;
  return /^[\w.@+-]{1,100}$/.test(user) && isLiteralSecret(password);
}

/** A value without the blanks and the quotes around it. */
const unquoted = (value: string): string => value.trim().replace(/^(["'])(.*)\1$/, "$2");

/** A shell's variable, in small letters too. No token looks like one, and hardly a password. */
export const isVariable = (text: string): boolean => /^\$[A-Za-z_]\w*$/.test(text);

/** Examples of documentation: `tskey-auth-xxxx`, `wJalr…EXAMPLEKEY`. */
export const isMasked = (text: string): boolean => /(?:[x*•.…]{4}|EXAMPLE(?:KEY)?)$/i.test(text.trim());
