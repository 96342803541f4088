/**
 * The order of a deploy (index.ts) on the registry line, at every speed of the line to the host: a
 * real entrypoint, a real Postgres, and the fake of the registry in processes of its own. Where the
 * order is wrong, a fast deploy ends before mail is served, and a slow one meets a dead port.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { RegistryState } from "../../provider/registry/state.ts";
import { RegistryServer } from "./registry-server.ts";
import { up, type Up } from "./slow-up.ts";
import { Postgres } from "./stalwart-server.ts";

/**
 * Before each request, in milliseconds. The slowest first: they take longest, and next to no work.
 */
const LATENCIES = [1500, 1000, 600, 300, 150, 50, 0];
const full = Boolean(process.env["TAILWART_FULL"]);

/**
 * After which requests a change is cut off. Without latency, after each one. With it each takes
 * long: so each latency takes every sixth request, no two the same ones, and the six together all
 * of them; and each takes the marker's write and the restart.
 */
const isCut = (latency: number, k: number): boolean =>
  latency === 0 || k % (LATENCIES.length - 1) === LATENCIES.indexOf(latency);

/** Servers at the same time, for one change at one latency: a slow one mostly waits. */
const workersAt = (latency: number): number => (latency < 600 ? 3 : 8);

/** What CI takes of it, beside one that is killed: a change and its latencies. */
const SMOKE: Readonly<Record<string, number[]>> = {
  "a first boot": [300, 0],
  "a route change": [300],
  "a new database": [0],
};

let postgres: Postgres;
beforeAll(async () => void (postgres = await Postgres.start()));
afterAll(() => postgres?.stop());

/** What is to be so whenever a deploy has ended well. */
async function expectServed(server: RegistryServer, { objects }: RegistryState, what: string): Promise<void> {
  expect(await server.greets(), `${what}: the greeting\n${server.log}`).toBe(true);
  const declared = (objects["MtaOutboundStrategy"]?.["route"] as { else: string }).else;
  const ways = [...server.log.matchAll(/mail goes by (.*)/g)].map(([, way]) => `'${way}'`);
  expect(ways.at(-1), `${what}\n${server.log}`).toBe(declared);
  // At no time has it been served otherwise.
  expect(server.log, what).not.toMatch(/mail goes by mx|without settings/);
}

/** A deploy that goes through. */
async function upWell(server: RegistryServer, desired: RegistryState, latency: number, what: string) {
  const done = await up(server, desired, { latency });
  expect(done.error, `${what}\n${done.log.join("\n")}\n${server.log}`).toBeUndefined();
  await expectServed(server, desired, what);
  return done;
}

/**
 * Brings a server to where a change begins, and makes its container anew where the change needs
 * that. @returns the desired state
 */
type Change = (server: RegistryServer) => Promise<RegistryState>;

const firstBoot: Change = async (server) => {
  server.known = undefined;
  server.newDatabase();
  await server.replace();
  return server.desired("smarthost");
};

async function deployed(server: RegistryServer): Promise<void> {
  const desired = server.known ? server.desired("smarthost") : await firstBoot(server);
  await upWell(server, desired, 0, "the deploy before");
}

const CHANGES: Record<string, Change> = {
  "a first boot": firstBoot,
  async "a route change"(server) {
    await deployed(server);
    return server.desired("other");
  },
  async "a new database"(server) {
    await deployed(server);
    server.newDatabase();
    await server.replace();
    return server.desired("smarthost");
  },
};

/** With a server of its own, which ends with it. */
async function onServer<T>(run: (server: RegistryServer) => Promise<T>): Promise<T> {
  const server = await RegistryServer.on(postgres);
  try {
    return await run(server);
  } finally {
    await server.stop();
  }
}

/** The change, and an `up` after it, which has nothing to do. @returns what the change took */
async function whole(server: RegistryServer, change: Change, latency: number): Promise<Up> {
  const desired = await change(server);
  const done = await upWell(server, desired, latency, `at ${latency} ms`);
  const again = await upWell(server, desired, latency, `again at ${latency} ms`);
  expect(again.log).toEqual([]);
  return done;
}

/** The change, cut off, and the `up` that finishes it. Every other one is said to the engine. */
async function cutOff(server: RegistryServer, change: Change, latency: number, k: number): Promise<void> {
  const desired = await change(server);
  const what = `at ${latency} ms, killed after request ${k}`;
  const cut = await up(server, desired, { latency, cut: k, isKilled: k % 2 === 1 });
  if (cut.error === undefined) await expectServed(server, desired, what);
  await upWell(server, desired, latency, `${what}: the next one`);
  const again = await upWell(server, desired, 0, `${what}: the one after`);
  expect(again.log, what).toEqual([]);
}

describe.concurrent.each(Object.entries(CHANGES))("%s", (name, change) => {
  const latencies = full ? LATENCIES : (SMOKE[name] ?? []);

  test.each(latencies)("over a line of %i ms ends once mail is served, its own way", async (latency) => {
    await onServer((server) => whole(server, change, latency));
  });

  test.runIf(full).each(latencies)(
    "over a line of %i ms, killed after its requests, is finished by the next up, and never sends mail straight to the MX",
    { timeout: 1_200_000 },
    async (latency) => {
      const { requests, marked } = await onServer((server) => whole(server, change, 0));
      const cuts = Array.from({ length: requests }, (_, k) => k).filter(
        (k) => isCut(latency, k) || k === marked || k - 1 === marked,
      );
      const { length } = cuts;
      const work = async (server: RegistryServer) => {
        for (let k = cuts.pop(); k !== undefined; k = cuts.pop()) await cutOff(server, change, latency, k);
      };
      const workers = Array.from({ length: Math.min(length, workersAt(latency)) }, () => onServer(work));
      // None outlives the test.
      const failed = (await Promise.allSettled(workers)).find(({ status }) => status === "rejected");
      expect(failed).toBeUndefined();
      process.stderr.write(`${name} over a line of ${latency} ms: ${length} cuts\n`);
    },
  );
});

test.runIf(!full)(
  "a first boot that is killed once it has left the marker is finished by the next up",
  { concurrent: true },
  async () => {
    await onServer(async (server) => {
      const { marked = 0 } = await whole(server, firstBoot, 0);
      expect(marked).toBeGreaterThan(0);
      await cutOff(server, firstBoot, 0, marked);
    });
  },
);
