import { setTimeout as sleep } from "node:timers/promises";

import { wordsOf } from "../../lib/errors.ts";
import { counts, type Examination } from "../../verify/doctor/report.ts";
import { News, type Receiver, redOf, send } from "./alerts.ts";
import { metricsOf, serveMetrics } from "./metrics.ts";

/** How the doctor looks after a stack. */
export interface Looping {
  /** Milliseconds between the beginnings of two looks. */
  every: number;
  alert?: Receiver | undefined;
  /** Port on loopback. */
  metrics?: number | undefined;
}

/** When something looks wrong, the second look comes after this, in milliseconds. */
const SECOND_LOOK = 15_000;

/**
 * Looks again and again, and tells of what has changed. Ends when the signal does.
 *
 * @param look examines once
 * @param say one line for whoever reads the log
 */
export async function loop(
  look: () => Promise<Examination>,
  { every, alert, metrics }: Looping,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const news = new News();
  let last: string | undefined;
  const server = metrics === undefined ? undefined : await serveMetrics(metrics, () => last);
  let before = "";
  while (!signal.aborted) {
    const start = Date.now();
    const found = await look();
    last = metricsOf(found, new Date());
    const red = redOf(found);
    const sums = Object.entries(counts(found.rows)).map(([state, count]) => `${count} ${state}`);
    const now = red.length > 0 ? `${found.state}: ${red.join(", ")}` : found.state;
    if (now !== before) say(`${now} (${sums.join(", ")}, in ${found.seconds.toFixed(1)} s)`);
    before = now;
    const due = news.after(found);
    if (due) {
      try {
        if (alert) await send(alert, due);
        news.told(due);
        say(`told: ${due.title}`);
      } catch (error) {
        // The next look finds the same news.
        say(wordsOf(error));
      }
    }
    await pause(start + (news.isPending ? Math.min(every, SECOND_LOOK) : every) - Date.now(), signal);
  }
  server?.close();
}

/** Waits so many milliseconds, or until the signal. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(Math.max(0, ms), undefined, { signal }).catch(() => undefined);

/** @example millisecondsOf("5m") === 300000; undefined for what is no time of 10 s or more */
export function millisecondsOf(text: string): number | undefined {
  const [, count = "", unit = ""] = /^(\d+)([smh])$/.exec(text) ?? [];
  const ms = Number(count) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? 0);
  return ms >= 10_000 ? ms : undefined;
}
