import { isLiteralSecret, isMasked, isVariable } from "./literals.ts";
import { MAIL_APIS } from "./mail-apis.ts";

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
  ...MAIL_APIS,
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
  // SparkPost takes its key without a word before it.
  ["an Authorization header", /\bauthorization["']?\s{0,3}[:=]\s{0,3}["']?([0-9a-f]{40})(?!\w)/gi],
];

const SUSPICIOUS =
  /pass|secret|token|key|pwd|psk|credential|authorization|gh[pousr]_|github_pat|glpat|xox|xapp|AIza|dckr|pul-|_live_|A[KS]IA|[._-](?:admin|auth|login)|basic[_-]?auth|tls\.(?:\d+_)?dns|rootpw|bindpw|masterauth|acme_dns|SG\.|xsmtpsib|\bre_[a-z\d]{8}_|mlsn\.|mssp\.|[\da-f]{32}-[\da-f]{8}-|\bdns [a-z\d]+ \S{16}|:\/\/[^\s/]{0,800}@|\\u00/i;

/** Programs that take a password by a letter. */
const PROGRAM =
  /curl|mysql|mariadb|mongo|cypher-shell|(?:redis|valkey|keydb|stalwart)-cli|login|ldap|(?:smb|rpc)client|openssl|mosquitto_|swaks|lftp|7z|zip/;

/** Whether a text can hold any of these: a tenth of the cost, and most texts have none. */
export const isSuspicious = (text: string): boolean => SUSPICIOUS.test(text) || PROGRAM.test(text);

export interface ShapeFound {
  readonly what: string;
  /** The text itself, so that it can be kept out of messages. */
  readonly match: string;
}

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
