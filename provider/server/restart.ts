/** Restarts of a live server, for what it takes at its start alone. */
import { UserError } from "../../lib/errors.ts";
import { PartialError } from "../plugin/partial-error.ts";
import { type Askable, waitUntilReady } from "./wait-until-ready.ts";
import type { Transport } from "./transport.ts";

/**
 * Restarts the server and waits until its API answers.
 *
 * @param deadline milliseconds for the wait
 * @throws Error when it cannot be restarted
 * @throws UserError that says why it does not answer
 */
export async function restartServer(api: Askable, deadline?: number): Promise<void> {
  const result = await api.transport.restart(60_000);
  if (result.status !== 0)
    throw new Error(`${api.transport.name} could not be restarted: ${result.stderr.trim()}`);
  await waitUntilReady(api, deadline);
}

/**
 * Refuses a server that could not open a port: it says so in its log, serves the others, and
 * answers its API as if nothing were wrong (common/src/network/listen.rs, `bind_and_drop_priv`;
 * seen on 0.16.18).
 *
 * @throws PartialError that names each address and why: everything else is in force
 */
export async function checkPorts({ name, inspect }: Transport): Promise<void> {
  const ports = unboundPorts((await inspect(10_000)).log);
  if (ports.length === 0) return;
  throw new PartialError(
    new UserError(
      `Stalwart in ${name} cannot listen everywhere; all else is in force:\n  ${ports.join("\n  ")}`,
      {
        path: "services",
        hint:
          "Another process of the sidecar's network namespace has the port: end it, or take the service from " +
          "tailwart:services.",
      },
    ),
  );
}

/**
 * What a server says since its last start about ports that it could not open, each once.
 *
 * @example unboundPorts('… reason = "Failed to bind to [::]:587: Address already in use"')
 * // ["[::]:587: Address already in use"]
 */
export function unboundPorts(log: string): string[] {
  const start = log.slice(Math.max(log.lastIndexOf("tailwart: gate: "), 0));
  return [...new Set([...start.matchAll(/Failed to bind to (\S+: [^"\n]+)/g)].map(([, what]) => what ?? ""))];
}
