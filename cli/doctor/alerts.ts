import { wordsOf } from "../../lib/errors.ts";
import type { Examination } from "../../verify/doctor/report.ts";

/** What somebody is told when a stack's state has changed. */
export interface Alert {
  title: string;
  text: string;
  /** Whether something is wrong now. */
  bad: boolean;
}

/** Ids of what fails or cannot be told by itself. */
export const redOf = ({ rows }: Examination): string[] =>
  rows
    .filter(({ state, because }) => (state === "fail" || state === "unknown") && because === undefined)
    .map(({ id }) => id);

/**
 * Knows what was told, and so what is news. One look may meet a restart or a lost packet, so what
 * is wrong counts when a second look sees it too; that all is well counts at once.
 */
export class News {
  readonly #told = new Set<string>();
  #seen: ReadonlySet<string> = new Set();

  /** Whether a second look should come soon, since something looks otherwise than what was told. */
  get isPending(): boolean {
    return [...this.#seen].some((id) => !this.#told.has(id));
  }

  /** What there is to tell after a look, if anything; {@link told} is to hear when it arrived. */
  after(found: Examination): Alert | undefined {
    const red = new Set(redOf(found));
    const twice = [...red].filter((id) => this.#seen.has(id));
    this.#seen = red;
    const added = twice.filter((id) => !this.#told.has(id));
    const gone = [...this.#told].filter((id) => !red.has(id));
    if (added.length > 0) return alertOf(found, twice);
    if (gone.length > 0 && red.size === 0) return alertOf(found, []);
    // What was mended beside others is news again when it comes back.
    for (const id of gone) this.#told.delete(id);
    return undefined;
  }

  /** Notes that an alert has arrived. */
  told({ bad }: Alert): void {
    this.#told.clear();
    if (bad) for (const id of this.#seen) this.#told.add(id);
  }
}

function alertOf({ what, rows }: Examination, red: readonly string[]): Alert {
  if (red.length === 0) return { title: `${what} works again`, text: "No check fails any more.", bad: false };
  const lines = rows
    .filter(({ id }) => red.includes(id))
    .flatMap(({ id, seen, fix }) => [`${id}: ${seen}`, ...(fix === undefined ? [] : [`  fix: ${fix}`])]);
  return { title: `${what}: ${red.join(", ")}`, text: lines.join("\n"), bad: true };
}

/** Where alerts go: a topic of ntfy, or a webhook that takes JSON. */
export interface Receiver {
  kind: "ntfy" | "webhook";
  url: string;
}

/**
 * @example receiverOf("ntfy:https://ntfy.sh/a") // { kind: "ntfy", url: "https://ntfy.sh/a" }
 * @returns undefined for what is neither that nor an address of http or https
 */
export function receiverOf(text: string): Receiver | undefined {
  const kind = text.startsWith("ntfy:") ? "ntfy" : "webhook";
  const url = kind === "ntfy" ? text.slice("ntfy:".length) : text;
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? { kind, url } : undefined;
}

/**
 * Sends an alert: to ntfy as text with its headers (https://docs.ntfy.sh/publish/), to a webhook as
 * JSON whose `text` chat programs show.
 *
 * @throws Error without the address, which may hold a secret
 */
export async function send({ kind, url }: Receiver, alert: Alert): Promise<void> {
  const { title, text, bad } = alert;
  const headers: Record<string, string> =
    kind === "ntfy"
      ? { title, priority: bad ? "high" : "default", tags: bad ? "rotating_light" : "white_check_mark" }
      : { "content-type": "application/json" };
  const body = kind === "ntfy" ? text : JSON.stringify({ ...alert, text: `${title}\n${text}` });
  const where = new URL(url).host;
  let status: number;
  try {
    ({ status } = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(15_000) }));
  } catch (error) {
    throw new Error(`the alert could not be sent to ${where}: ${wordsOf((error as Error).cause ?? error)}`);
  }
  if (status >= 300) throw new Error(`${where} answers the alert with HTTP ${status}`);
}
