/**
 * Proves which route is in force. Settings that read back as desired are no proof: lesson 12's
 * server had the new route stored and used the old one. So a message is handed in, and Stalwart's
 * own log says whom it was handed to.
 *
 * Whoever gets it is not harmed: it has no sender, so that nothing can bounce, and its recipient's
 * domain ends in .invalid, which RFC 2606 keeps from ever existing. A smarthost that refuses it has
 * proved the route as well as one that takes it.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { UserError, wordsOf } from "../../lib/errors.ts";
import { handIn } from "./hand-in.ts";
import type { Log } from "../plugin/log.ts";
import type { DeclaredRoute, Submission } from "./routing.ts";
import type { Transport } from "./transport.ts";

/** Time for a probe, in milliseconds. */
const DEADLINE = 15_000;
/**
 * How long a probe that was handed over may still be under way, so that it is not taken out of the
 * queue half-way.
 */
const LINGER = 5_000;
const INTERVAL = 250;

/** Whom Stalwart handed a probe to, according to its log. */
export interface Handover {
  /**
   * The host's name; the probe's own domain when Stalwart looked for that one's MX; `localhost` for
   * local delivery.
   */
  host: string;
  port?: number;
  /** Empty while it is under way or waits for another try. */
  outcome: "" | "taken" | "refused" | "not reached";
}

/** A server's queue, where a probe that waits for another try lies. */
export interface ProbeQueue {
  /** Stalwart's words for the state of each message to a domain. */
  queued(domain: string): Promise<string[]>;
  /** Takes the messages to a domain out. */
  discard(domain: string): Promise<void>;
}

export interface Probing {
  transport: Transport;
  /** Undefined when no listener speaks SMTP. */
  submission: Submission | undefined;
  /** Routes that mail for elsewhere may take. */
  routes: readonly DeclaredRoute[];
  queue?: ProbeQueue;
  log: Log;
  /** Milliseconds; default 15,000. */
  deadline?: number;
}

/**
 * Sends a probe and compares. What cannot be found out is said in the log, and is no failure:
 * whether a smarthost can be reached is judged by `npm run doctor`.
 *
 * @throws UserError that names route and host, when the probe took another route than the declared
 *   one
 */
export async function probeRoute(probing: Probing): Promise<void> {
  const { transport, submission, routes, queue, log, deadline = DEADLINE } = probing;
  const unproven = (why: string) =>
    log(`${why}: the route is stored and loaded as declared, and no probe has proved it`, "warning");
  if (!submission) return unproven("no listener speaks SMTP");
  const end = Date.now() + deadline;
  const domain = `tailwart-${randomBytes(8).toString("hex")}.invalid`;
  const recipient = `tailwart-probe@${domain}`;
  const refusal = await handIn(transport, submission, recipient, probeTo(recipient), end);
  if (refusal) return unproven(`Stalwart took no probe (${refusal})`);
  try {
    const seen = await watch(probing, domain, end);
    if (!seen) return unproven(`Stalwart has reached no host within ${deadline / 1000} s`);
    const route = routes.find((declared) => leadsTo(declared, seen, domain));
    if (!route) throw new UserError(...otherRoute(transport, routes, seen, domain));
    log(
      `a probe took route "${route.name}" (${hostOf(seen, domain)}): ${seen.outcome || "not delivered yet"}`,
      "info",
    );
  } finally {
    await queue?.discard(domain).catch((error: unknown) => {
      log(`the probe for ${domain} may still lie in the queue: ${wordsOf(error)}`, "warning");
    });
  }
}

/** A message to nobody. */
const probeTo = (recipient: string): string =>
  [
    `From: <${recipient}>`,
    `To: <${recipient}>`,
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${recipient}>`,
    "Subject: Which route is in force?",
    "Auto-Submitted: auto-generated",
    "",
    "Sent by tailwart after a change of routes. Its recipient cannot exist, and nothing needs to be done.",
    "",
  ].join("\r\n");

/**
 * Waits until it is known whom the probe was handed to, and then a little for what became of it.
 */
async function watch(
  { transport, queue }: Probing,
  domain: string,
  end: number,
): Promise<Handover | undefined> {
  let seen: Handover | undefined;
  let until = end;
  while (Date.now() < until) {
    // With a log that is quieter than info the queue alone knows, and only of what is tried again.
    const found =
      handoverIn((await transport.inspect(10_000)).log, domain) ??
      handoverInQueue((await queue?.queued(domain).catch(() => [])) ?? []);
    if (found?.outcome) return found;
    if (found && !seen) until = Math.min(end, Date.now() + LINGER);
    seen = found ?? seen;
    await sleep(INTERVAL);
  }
  return seen;
}

const OUTCOMES: [RegExp, Handover["outcome"]][] = [
  [/\(delivery\.delivered\)/, "taken"],
  [/\(delivery\.(ip-lookup-failed|connect-error|null-mx)\)/, "not reached"],
  [/\(delivery\.(dsn-perm-fail|(?!mx-lookup)[a-z-]+-(rejected|failed|error))\)/, "refused"],
];

/**
 * Whom Stalwart handed a probe to, according to its log (events: trc/src/event of stalwart-lite
 * 0.16.0); undefined as long as it says nothing.
 *
 * @example
 * handoverIn('… (delivery.connect) … domain = "a.invalid", hostname = "mx.tail.test", …, remotePort
 *   = 587', "a.invalid")?.host === "mx.tail.test"
 */
export function handoverIn(log: string, domain: string): Handover | undefined {
  const lines = log
    .split("\n")
    .filter((line) => line.includes(domain) && /\((delivery|tls-rpt)\./.test(line));
  // A relay's delivery has no use for them, whatever they find.
  const direct = lines.some((line) => /\((tls-rpt\.record-|delivery\.mx-lookup)/.test(line));
  const named = lines.find((line) => /\bhostname = "/.test(line));
  if (!named && !direct) return undefined;
  const host = direct ? domain : (/\bhostname = "([^"]*)"/.exec(named ?? "")?.[1] ?? "");
  const port = lines.flatMap((line) => /\bremotePort = (\d+)/.exec(line)?.[1] ?? []).at(0);
  const ended = lines.flatMap((line) => OUTCOMES.find(([event]) => event.test(line))?.[1] ?? []);
  const outcome = ended.find((word) => word === "taken") ?? ended[0] ?? "";
  return { host, ...(port !== undefined && { port: Number(port) }), outcome };
}

/**
 * The same from the queue's words for a failure that is not for good:
 * `Error for mx.tail.test: Connection failed: …`.
 */
function handoverInQueue(states: readonly string[]): Handover | undefined {
  const host = states.flatMap((state) => /\bError for ([^\s:]+):/.exec(state)?.[1] ?? []).at(0);
  return host === undefined ? undefined : { host, outcome: "" };
}

const sameHost = (a: string, b: string): boolean =>
  a.toLowerCase().replace(/\.$/, "") === b.toLowerCase().replace(/\.$/, "");

function leadsTo(route: DeclaredRoute, seen: Handover, domain: string): boolean {
  if (route.to === "relay")
    return sameHost(seen.host, route.host) && (seen.port === undefined || seen.port === route.port);
  return sameHost(seen.host, route.to === "mx" ? domain : "localhost");
}

function hostOf({ host, port }: Handover, domain: string): string {
  if (sameHost(host, domain)) return "straight to the MX of the recipient's domain";
  if (host === "localhost") return "into a mailbox of this server";
  return port === undefined ? host : `${host}:${port}`;
}

function otherRoute(
  { name }: Transport,
  routes: readonly DeclaredRoute[],
  seen: Handover,
  domain: string,
): ConstructorParameters<typeof UserError> {
  const declared = routes.map(
    (route) => `"${route.name}"${route.to === "relay" ? ` (${route.host}:${route.port})` : ""}`,
  );
  return [
    `Stalwart in ${name} does not send mail the declared way: route ${declared.join(" or ")} is stored and loaded, but a probe went ${hostOf(seen, domain)}`,
    {
      path: "queue.strategy.route",
      hint: "Look for `Gateway not found` and configuration errors in Stalwart's log, restart its container, and run `pulumi up` again: it probes again until the route is proven.",
    },
  ];
}
