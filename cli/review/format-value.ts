import { lineDiff } from "./lines.ts";

/** Stands where a secret is, in the engine's events (sdk/go/common/resource). */
const SECRET_KEY = "4dabf18193072939515e22adb298388d";
const MASKED = "[secret]";
/**
 * Stand where a value is known only after the update: text, bool, number, list, archive, object.
 */
const UNKNOWN = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);
/**
 * Names of what ought to be a secret, whether or not the program has marked it. Files and
 * references to one are none.
 */
const SECRET_NAME =
  /(?:password|passwd|secret|token|apikey|api_key|authkey|private_?key|credential)s?(?:\.value)?$/i;
const LONGEST = 240;
const LONGEST_LINES = 1600;

/**
 * The value at a property path of the engine's, such as `labels[0].value` or
 * `settings["queue.route"]`.
 */
export function valueAt(root: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>((at, step) => {
    if (holdsSecret(at)) return at;
    return (at as Record<string, unknown> | undefined | null)?.[step];
  }, root);
}

function stepsOf(path: string): string[] {
  const steps = path.matchAll(/\["(?<quoted>(?:[^"\\]|\\.)*)"\]|\[(?<index>\d+)\]|(?<name>[^.[\]]+)/g);
  return [...steps].map(
    ({ groups }) =>
      (groups?.["quoted"]?.replace(/\\(.)/g, "$1") ?? groups?.["index"] ?? groups?.["name"]) as string,
  );
}

/** Whether a value, or what its name says of it, is a secret. */
export function isSecret(path: string, value: unknown): boolean {
  return SECRET_NAME.test(path.replace(/"?\]$/, "")) || holdsSecret(value);
}

/** Whether a value, not one within it, is marked as a secret or masked by the engine. */
export function holdsSecret(value: unknown): boolean {
  if (value === MASKED) return true;
  return typeof value === "object" && value !== null && SECRET_KEY in value;
}

/** A value as a reader sees it; nothing of a secret, also not its length. */
export function show(value: unknown, hidden: boolean): string {
  if (hidden) return MASKED;
  if (value === undefined) return "(not set)";
  const text = typeof value === "string" ? plain(value) : JSON.stringify(value, withoutSecrets);
  const longest = text.includes("\n") ? LONGEST_LINES : LONGEST;
  return text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
}

/**
 * Values that are secrets by their look, wherever they stand: the settings of a container, a config
 * file.
 */
const LOOKS_SECRET: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASKED],
  [/\btskey-[\w-]+/g, MASKED],
  [/(:\/\/[^\s/:@]+:)[^\s/@]+(?=@)/g, `$1${MASKED}`],
  [/\b(\w*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|AUTHKEY)=)(?!file:)[^\s"]+/gi, `$1${MASKED}`],
];

function plain(text: string): string {
  if (UNKNOWN.has(text)) return "(known after the update)";
  return LOOKS_SECRET.reduce((rest, [look, instead]) => rest.replace(look, instead), text);
}

function withoutSecrets(key: string, value: unknown): unknown {
  if (key === "__defaults") return undefined;
  if (isSecret(key, value)) return MASKED;
  return typeof value === "string" ? plain(value) : value;
}

/** A value before and after, as a reader sees it. */
export interface ShownDifference {
  readonly old?: string;
  readonly new?: string;
  /** In the place of both, of a text or a structure of many lines: a unified diff. */
  readonly lines?: string;
}

/**
 * Shows what a property was and becomes. Texts that differ in what is hidden alone are shown as the
 * same twice.
 *
 * @param kind what happens to it, as the engine has it; of what is new there is nothing before
 */
export function showDifference(
  path: string,
  before: unknown,
  after: unknown,
  kind = "update",
): ShownDifference {
  const hidden = isSecret(path, before) || isSecret(path, after);
  const lines = hidden ? undefined : lineDiff(asText(before), asText(after));
  if (lines) return { lines };
  return {
    ...(!kind.startsWith("add") && { old: show(before, hidden) }),
    ...(!kind.startsWith("delete") && { new: show(after, hidden) }),
  };
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? plain(value) : JSON.stringify(value, withoutSecrets);
}

/** Whether something in a value is known only after the update. */
export function holdsUnknown(value: unknown): boolean {
  if (typeof value === "string") return UNKNOWN.has(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsUnknown);
}
