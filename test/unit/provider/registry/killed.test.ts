/**
 * Deploys to the registry that are cut off after each of their requests (the fake registry; a real
 * 0.15 server: test/engine/settings-killed.test.ts).
 */
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { PartialError } from "../../../../provider/plugin/partial-error.ts";
import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";
import { UnreachableError } from "../../../../provider/server/pipe.ts";
import { RegistryResource } from "../../../../provider/registry/resource.ts";
import type { RegistryState } from "../../../../provider/registry/state.ts";
import type { Transport } from "../../../../provider/server/transport.ts";
import { FakeRegistry } from "../../../fakes/fake-registry.ts";
import { FakeSubmission } from "../../../fakes/fake-submission.ts";
import { LOGIN } from "../../../fakes/fake-transport.ts";
import { registryObjects } from "./objects.ts";

const OK = { status: 0, stdout: "", stderr: "" };
const smarthost = { name: "smarthost", host: "mailbox.tail.test", tls: "tailnet" as const };

const submission = new FakeSubmission();
let submissionPort: number;
beforeAll(async () => void (submissionPort = await submission.listen()));
afterAll(() => submission.close());

let fake: FakeRegistry;
let base: string;
let probes: number;
/** Requests, restarts and probes that still get through. */
let left: number;
/** Whether the one that does not is lost on its way, or done and its answer lost. */
let lost: "request" | "answer";

/** Does what is still done, and throws where no answer comes back. */
async function cut<T>(act: () => T | Promise<T>): Promise<T> {
  const last = left-- <= 0;
  if (!last) return act();
  if (lost === "answer" && left === -1) await act();
  throw new UnreachableError("killed");
}

async function fresh(): Promise<void> {
  fake?.close();
  fake = new FakeRegistry();
  base = await fake.listen();
  left = Number.POSITIVE_INFINITY;
}
beforeEach(fresh);
afterEach(() => fake.close());

/** Without a process, and a submission listener whose log says where a probe went. */
const transport: Transport = {
  name: "container test",
  ask: ({ url, method, body }) =>
    cut(async () => {
      const headers = { authorization: "Basic eDp5", "content-type": "application/json" };
      const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
      return { status: answer.status, text: await answer.text() };
    }),
  async connect() {
    if (left-- <= 0) throw new UnreachableError("killed");
    probes++;
    const socket = connect(submissionPort, "127.0.0.1");
    return Object.assign(socket, { login: LOGIN });
  },
  restart: () =>
    cut(() => {
      fake.restart();
      return OK;
    }).catch(() => ({ status: 1, stdout: "", stderr: "killed" })),
  inspect() {
    const log = `INFO Words (delivery.delivered) to = ["${submission.recipient}"], hostname = "${host()}"`;
    return Promise.resolve({ exists: true, running: left > 0, log });
  },
};
/** Whom the server in force would hand mail to. */
const host = () => String(fake.inForce("MtaRoute").find((row) => row["@type"] === "Relay")?.["address"]);

const state = (more: Partial<StalwartSettingsInput> = {}): RegistryState => ({
  target: { dockerHost: "unix:///none", container: "test", api: base },
  accounts: {},
  objects: registryObjects({
    listeners: [
      { name: "smtp", protocol: "smtp", port: 25 },
      { name: "submissions", protocol: "smtp", port: 465, implicitTls: true },
    ],
    relays: [smarthost],
    outbound: { route: smarthost.name },
    allowedIps: ["100.64.0.0/10", "203.0.113.20"],
    ...more,
  }),
});

const resource = new RegistryResource(() => transport, 600);
const apply = (desired: RegistryState, previous?: RegistryState) =>
  resource.apply(desired, previous, () => undefined);
const sets = () => fake.requests.filter((request) => /^set (?!Action)/.test(request));

describe.each<[what: string, change: Partial<StalwartSettingsInput> | undefined, routes: boolean]>([
  ["a first deploy", undefined, true],
  ["a route's new name", { relays: [{ ...smarthost, name: "other" }], outbound: { route: "other" } }, true],
  ["a relay's new host", { relays: [{ ...smarthost, host: "other.tail.test" }] }, true],
  ["another allow-list", { allowedIps: ["100.64.0.0/10", "203.0.113.21"] }, false],
  ["a new domain", { domains: [{ name: "lab.test" }, { name: "second.test" }] }, false],
  [
    "a new listener",
    { listeners: [{ name: "submissions", protocol: "smtp", port: 465, implicitTls: true }] },
    false,
  ],
])("%s", (_, change, routes) => {
  test.each([
    ["before any of its requests", "request"],
    ["before the answer to any of its requests", "answer"],
  ] as const)(
    "that is cut off %s is finished by the next up, and the one after writes nothing",
    async (_, what) => {
      lost = what;
      let k = 0;
      for (let error: unknown = "none yet"; error !== undefined;) {
        k++;
        await fresh();
        const before = change ? state() : undefined;
        if (before) await apply(before);
        const desired = state(change ?? {});
        left = k;
        error = await apply(desired, before).then(
          () => undefined,
          (e: unknown) => e,
        );
        // A probe that is not taken proves nothing, and is no failure: cut off there, the deploy
        // counts as done.
        if (error === undefined) break;
        left = Number.POSITIVE_INFINITY;
        probes = 0;
        fake.restarts = 0;
        const said = error instanceof PartialError && k % 2 === 0;
        await apply(desired, said ? resource.interrupted(desired, before) : before);
        expect(await resource.read(desired), `after ${k}`).toEqual(desired);
        expect(
          fake.inForce("MtaRoute").some((row) => row["name"] === "smarthost"),
          `after ${k}`,
        ).toBe("MtaRoute/smarthost" in desired.objects);
        if (routes || said) expect(probes, `after ${k}`).toBe(1);
        // Whether what it wrote is in force is not known.
        if (said) expect(fake.restarts, `after ${k}`).toBe(1);
        probes = 0;
        fake.restarts = 0;
        fake.requests.length = 0;
        await apply(desired, desired);
        expect({ sets: sets(), probes, restarts: fake.restarts }, `after ${k}`).toEqual({
          sets: [],
          probes: 0,
          restarts: 0,
        });
      }
      expect(k).toBeGreaterThan(4);
    },
    120_000,
  );
});
