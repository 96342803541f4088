/**
 * Deploys that are cut off after each of their requests, of a real Stalwart: the next one finishes
 * them.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { PartialError } from "../../provider/plugin/partial-error.ts";
import type { StalwartSettingsInput } from "../../lib/desired-state/schema.ts";
import { StalwartApi } from "../../provider/keys/api.ts";
import { converge } from "../../provider/keys/converge.ts";
import { UnreachableError } from "../../provider/server/pipe.ts";
import { SettingsResource } from "../../provider/keys/resource.ts";
import { routingDiffers } from "../../provider/keys/routing.ts";
import { interruptedState, type SettingsState } from "../../provider/keys/state.ts";
import { applyTo, readDeclared, stateOf } from "./settings-state.ts";
import { Postgres, StalwartServer } from "./stalwart-server.ts";

let postgres: Postgres;
let server: StalwartServer;

beforeAll(async () => {
  ({ postgres, server } = await StalwartServer.started());
});

afterAll(async () => {
  await server?.stop();
  postgres?.stop();
});

const smarthost = { name: "smarthost", host: "mailbox.tail.test", tls: "tailnet" as const };
const desired = (more: Partial<StalwartSettingsInput> = {}) =>
  stateOf(
    server,
    server.settings({
      relays: [smarthost],
      outbound: { route: smarthost.name },
      allowedIps: ["100.64.0.0/10", "203.0.113.20"],
      accounts: [{ name: "alice", emails: ["alice@lab.test"] }],
      ...more,
    }),
  );

const apply = (state: SettingsState, previous?: SettingsState) =>
  applyTo(server.transport(), state, previous);
const read = (state: SettingsState) => readDeclared(server, state);
const api = () => new StalwartApi(server.transport(), `http://127.0.0.1:${server.ports.http}`);

/** As it was before the first deploy: no setting, no domain and no account of ours. */
async function empty(state: SettingsState): Promise<void> {
  await new SettingsResource(() => server.transport()).delete(state, () => undefined);
  for (const name of [...Object.keys(state.accounts), ...state.domains])
    await api()
      .request("DELETE", `/api/principal/${name}`)
      .catch(() => undefined);
}

/**
 * Everything after request k is lost, undoing too, as if the process were gone. @returns the
 * failure, or undefined when k was enough
 */
async function cutOff(after: number, state: SettingsState, previous?: SettingsState): Promise<unknown> {
  const transport = server.transport();
  const { ask, connect, restart } = transport;
  let left = after;
  const orGone = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return (...args: A) => (left-- > 0 ? call(...args) : Promise.reject(new UnreachableError("killed")));
  };
  Object.assign(transport, { ask: orGone(ask), connect: orGone(connect), restart: orGone(restart) });
  try {
    await converge(new StalwartApi(transport, state.target.api), state, previous, { readyDeadline: 600 });
  } catch (error) {
    return error;
  }
  // A probe that is not taken is no failure: it is one when the rest has not been reached.
  return left < 0 ? new Error("cut off at the probe") : undefined;
}

interface Change {
  before?: () => SettingsState;
  after: () => SettingsState;
  /** Requests after which CI cuts off. */
  sample: number[];
}

const CHANGES: Record<string, Change> = {
  "a first deploy": { after: desired, sample: [9] },
  "a route's new name": {
    before: desired,
    after: () => desired({ relays: [{ ...smarthost, name: "other" }], outbound: { route: "other" } }),
    sample: [5],
  },
  "a relay's new host": {
    before: desired,
    after: () => desired({ relays: [{ ...smarthost, host: "other.tail.test" }] }),
    sample: [],
  },
  "another allow-list": {
    before: desired,
    after: () => desired({ allowedIps: ["100.64.0.0/10", "203.0.113.21"] }),
    sample: [4],
  },
  "a new domain": {
    before: desired,
    after: () => desired({ domains: [{ name: "lab.test" }, { name: "second.test" }] }),
    sample: [],
  },
  "a new account": {
    before: desired,
    after: () =>
      desired({
        accounts: [
          { name: "alice", emails: ["alice@lab.test"] },
          { name: "bob", emails: ["bob@lab.test"] },
        ],
      }),
    sample: [5],
  },
};

/** @returns false when the deploy takes no more than k requests */
async function isFinishedAfterCut({ before, after }: Change, k: number): Promise<boolean> {
  const state = after();
  const older = before?.();
  await empty(desired());
  await empty(state);
  if (older) await apply(older);
  const error = await cutOff(k, state, older);
  if (error === undefined) return false;

  // What the engine's state holds then: the older one; or, when the provider was still there to say
  // so, that the deploy is interrupted.
  const said = error instanceof PartialError && k % 2 === 0;
  const previous: SettingsState | undefined = said ? interruptedState(state, older) : older;
  const next = await apply(state, previous);
  expect(await read(state), `cut off after ${k}`).toEqual(state);
  const gone = Object.keys(older?.settings ?? {}).filter((key) => !(key in state.settings));
  expect(gone.length > 0 ? await api().readSettings(gone, []) : {}, `cut off after ${k}`).toEqual({});
  if (said || routingDiffers(state.settings, older?.settings ?? {}))
    expect({ restarts: next.restarts, probes: next.probes }, `cut off after ${k}`).toEqual({
      restarts: 1,
      probes: 1,
    });
  const again = await apply(state, state);
  expect({ writes: again.writes, restarts: again.restarts, probes: again.probes }).toEqual({
    writes: [],
    restarts: 0,
    probes: 0,
  });
  return true;
}

const all = Boolean(process.env["TAILWART_FULL"]);

describe.each(Object.entries(CHANGES).filter(([, { sample }]) => all || sample.length > 0))(
  "%s",
  (_, change) => {
    test(
      all
        ? "that is cut off after any of its requests is finished by the next up, and the one after writes nothing"
        : `that is cut off after request ${change.sample.join(" or ")} is finished by the next up, and the one after writes nothing`,
      { timeout: 600_000 },
      async () => {
        if (!all) {
          for (const k of change.sample) expect(await isFinishedAfterCut(change, k)).toBe(true);
          return;
        }
        let k = 1;
        while (await isFinishedAfterCut(change, k)) k++;
        expect(k).toBeGreaterThan(7);
        process.stderr.write(`${_}: ${k - 1} cuts\n`);
      },
    );
  },
);
