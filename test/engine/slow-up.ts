/**
 * An `up` of the registry's settings as the engine and the plugin do it, over a line that takes its
 * time, and may break.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import { PartialError } from "../../provider/plugin/partial-error.ts";
import { MARKER } from "../../provider/registry/plan.ts";
import { RegistryResource } from "../../provider/registry/resource.ts";
import type { RegistryState } from "../../provider/registry/state.ts";
import type { Transport } from "../../provider/server/transport.ts";
import type { RegistryServer } from "./registry-server.ts";

export interface Line {
  /** What passes before each request, in milliseconds. */
  latency: number;
  /** Requests after which nothing more gets through. */
  cut?: number;
  /** Whether the plugin is gone then, too, and tells the engine nothing. */
  isKilled?: boolean;
}

/** How an `up` has ended. */
export interface Up {
  error: unknown;
  /** Requests, connections and restarts that have got through. */
  requests: number;
  /** Which of them has left the marker; undefined when none has. */
  marked: number | undefined;
  log: string[];
}

/** Deploys, and leaves in the server what the engine knows then. */
export async function up(server: RegistryServer, desired: RegistryState, line: Line): Promise<Up> {
  const { known } = server;
  const done: Up = { error: undefined, requests: 0, marked: undefined, log: [] };
  const resource = new RegistryResource(() => slow(server.transport(), line, done));
  const log = (message: string) => {
    done.log.push(message);
    if (message.includes(MARKER)) done.marked = done.requests + 1;
  };
  try {
    if (!(await isDone(server, resource, desired))) server.known = await resource.apply(desired, known, log);
  } catch (error) {
    done.error = error;
    if (error instanceof PartialError && !line.isKilled)
      server.known = { ...resource.interrupted(desired, known), ...error.left };
  }
  return done;
}

/**
 * Whether there is no difference. One that cannot be asked counts as none, and is left to the check
 * at the end, which wants a greeting (verify/checks/stalwart.ts).
 */
async function isDone(server: RegistryServer, resource: RegistryResource, desired: RegistryState) {
  const { passwordsInForce: _, ...inputs } = server.known ?? {};
  if (!isDeepStrictEqual(desired, inputs)) return false;
  try {
    return await resource.trace.isApplied(desired);
  } catch (error) {
    if (await server.greets()) return true;
    throw error;
  }
}

function slow(way: Transport, { latency, cut = Number.POSITIVE_INFINITY }: Line, seen: Up): Transport {
  const late = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      await sleep(latency);
      if (seen.requests >= cut) throw new Error("killed");
      seen.requests++;
      return call(...args);
    };
  };
  return {
    name: way.name,
    ask: late(way.ask),
    connect: late(way.connect),
    restart: late(way.restart),
    async inspect(deadline) {
      await sleep(latency);
      return way.inspect(deadline);
    },
  };
}
