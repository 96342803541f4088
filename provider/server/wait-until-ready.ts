import { setTimeout as sleep } from "node:timers/promises";

import { UserError, wordsOf } from "../../lib/errors.ts";
import { UnreachableError } from "./pipe.ts";
import type { Transport } from "./transport.ts";

/** How long a deploy waits for the API, in milliseconds; Stalwart may still be in its gate. */
export const READY_DEADLINE = 60_000;

/** A server's API, of either generation. */
export interface Askable {
  readonly transport: Transport;
  /** One cheap request that needs the data store. @throws UnreachableError when nothing answers */
  ask(deadline: number): Promise<unknown>;
}

/**
 * How long a refresh and a deletion wait for the API, in milliseconds: less than a deploy, since
 * nothing is being started.
 */
export const QUICK_DEADLINE = 15_000;

/**
 * Thrown when the login is refused, as it is until the entrypoint has noticed and has started the
 * server with another administrator.
 */
export class LoginError extends UserError {
  constructor(message: string) {
    super(message, {
      hint: "Restart Stalwart's container: it then lets the next `pulumi up` in, which makes the account anew.",
    });
  }
}

/** Thrown when the container is not there at all. */
export class NoContainerError extends Error {}

/**
 * Waits until the API answers.
 *
 * @param deadline milliseconds
 * @throws UserError that names the cause: the gate's Postgres, a container that is down, or what
 *   refused the connection
 * @throws NoContainerError when there is no container
 */
export async function waitUntilReady(api: Askable, deadline = READY_DEADLINE): Promise<void> {
  const end = Date.now() + deadline;
  let last = "";
  for (;;) {
    const left = end - Date.now();
    try {
      await api.ask(Math.max(2_000, Math.min(left, 10_000)));
      return;
    } catch (error) {
      if (error instanceof LoginError && Date.now() + 500 < end) await sleep(500);
      else if (!(error instanceof UnreachableError)) throw error;
      last = error.message;
    }
    if (/no such container/i.test(last)) throw new NoContainerError(last);
    if (Date.now() + 500 >= end) break;
    await sleep(500);
  }
  throw new UserError(await explain(api, last, deadline), {
    hint: "Nothing is lost: once the cause is mended, run `pulumi up` again, and it goes on from here.",
  });
}

/**
 * Whether there is a server to be read. One without a container counts as gone, so that the next
 * `up` sets it up anew.
 *
 * @throws UserError when it is there and does not answer
 */
export async function isThere(api: Askable): Promise<boolean> {
  try {
    await waitUntilReady(api, QUICK_DEADLINE);
    return true;
  } catch (error) {
    if (error instanceof NoContainerError) return false;
    throw error;
  }
}

/**
 * Whether a server can be asked to take its settings back. One that is gone or does not run keeps
 * them in Postgres, where the next `up` finds them: an unreachable database must not make a stack
 * impossible to destroy.
 */
export async function canBeAsked(api: Askable, log: (message: string) => void): Promise<boolean> {
  try {
    await waitUntilReady(api, QUICK_DEADLINE);
    return true;
  } catch (error) {
    log(`the settings stay in Stalwart's data store, since it cannot be reached: ${wordsOf(error)}`);
    return false;
  }
}

async function explain(api: Askable, last: string, deadline: number): Promise<string> {
  const waited = `after ${Math.round(deadline / 1000)} s`;
  const { name } = api.transport;
  const state = await api.transport.inspect(10_000);
  if (!state.exists) throw new NoContainerError(last);
  const gate = gateState(state.log);
  if (gate)
    return `Stalwart in ${name} is still waiting for Postgres ${gate.target} ${waited}: ${gate.reason}`;
  const lines = state.log.trimEnd().split("\n").slice(-5).join("\n    ");
  return `Stalwart's API in ${name} does not answer ${waited} (${state.running ? "the container runs" : "the container is not running"}): ${last}\n  its log ends:\n    ${lines}`;
}

/**
 * What the gate waits for according to the log, or undefined when Stalwart is past it.
 *
 * @example gateState("tailwart: gate: waiting for Postgres db:5432: timed out")
 * // { target: "db:5432", reason: "timed out" }
 */
export function gateState(log: string): { target: string; reason: string } | undefined {
  const last = log
    .split("\n")
    .filter((line) => /tailwart: (gate|watch):|server\.startup/.test(line))
    .at(-1);
  const match = /gate: waiting for Postgres (\S+): (.*)$/.exec(last ?? "");
  return match ? { target: match[1] ?? "", reason: (match[2] ?? "").trim() } : undefined;
}
