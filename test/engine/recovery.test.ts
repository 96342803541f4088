/**
 * What is served from a data store that no deploy has finished with (lib/stalwart/recovery.sh): a
 * real Stalwart on a real Postgres.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { APPLIED_KEY } from "../../lib/desired-state/keys/keys.ts";
import type { StalwartSettingsInput } from "../../lib/desired-state/schema.ts";
import { StalwartApi } from "../../provider/keys/api.ts";
import { SettingsResource } from "../../provider/keys/resource.ts";
import type { SettingsState } from "../../provider/keys/state.ts";
import { applyTo, stateOf } from "./settings-state.ts";
import { Postgres, StalwartServer } from "./stalwart-server.ts";
import { listens } from "./talk.ts";

let postgres: Postgres;
let server: StalwartServer;
let desired: SettingsState;

const settings = (more: Partial<StalwartSettingsInput> = {}) =>
  server.settings({ accounts: [{ name: "alice", emails: ["alice@lab.test"] }], ...more });

beforeAll(async () => {
  postgres = await Postgres.start();
  server = await StalwartServer.on(postgres);
  server.install(settings());
  server.gate();
  server.start();
  desired = stateOf(server, settings());
});

afterAll(async () => {
  await server?.stop();
  postgres?.stop();
});

/** Whether anybody takes mail: nobody there is a sender's reason to try again, and no refusal. */
const servesMail = () => listens(server.ports.smtp, "127.0.0.1");

const apply = (state: SettingsState, previous?: SettingsState) =>
  applyTo(server.transport(), state, previous);
const isApplied = () => new SettingsResource(() => server.transport()).trace.isApplied(desired);

/** Starts the server over, as a restart of its container does, with something done in between. */
async function restart(meanwhile: () => void = () => undefined): Promise<void> {
  await server.end();
  meanwhile();
  server.log = "";
  server.start();
}

describe("an empty data store", () => {
  test("is served by the API alone: mail waits with its sender, and is not refused", async () => {
    await server.says(/recovery: the data store has no settings of tailwart's; serving the API alone/);
    expect(await servesMail()).toBe(false);
    expect(await isApplied()).toBe(false);
  });

  test("is served whole by the deploy that writes everything, after one restart", async () => {
    const { log, restarts } = await apply(desired);
    expect(restarts).toBe(1);
    expect(log).toContainEqual(
      expect.stringMatching(/^restarting Stalwart: .*it has served the API alone so far/),
    );
    await server.says(/watch: SMTP greets/);
    expect(await servesMail()).toBe(true);
    expect(await isApplied()).toBe(true);
  });
});

describe("the data store of a finished deploy", () => {
  test("is served whole at every start, with no other server before", async () => {
    await restart();
    await server.says(/watch: SMTP greets/);
    expect(server.log).not.toContain("recovery");
    expect(await servesMail()).toBe(true);
  });

  test("is rid of the locks that a killed server has left on messages, and of those alone", async () => {
    const keys = ["14aa", "15aa01", "15aa02", "16aa"];
    const rows = keys.map((key) => String.raw`('\x${key}', '\x00000000ffffffff')`).join();
    await restart(() => postgres.ask(`insert into m (k, v) values ${rows}`, "stalwart"));
    await server.says(/queue: 2 messages were under way when the last server ended/);
    await server.says(/watch: SMTP greets/);
    const ours = "octet_length(k) < 4 and get_byte(k, 1) = 170";
    const left = `select encode(k, 'hex') from m where ${ours} order by k`;
    expect(postgres.ask(left, "stalwart").split("\n")).toEqual(["14aa", "16aa"]);
    await restart();
    await server.says(/watch: SMTP greets/);
    expect(server.log).not.toContain("under way");
  });

  test("a second deploy finds nothing to do", async () => {
    const { writes, restarts } = await apply(desired, desired);
    expect([writes, restarts]).toEqual([[], 0]);
  });
});

describe("a database made anew under the same name", () => {
  test("is served by the API alone, and counts as a difference for the next up", async () => {
    await restart(() => postgres.sql("drop database stalwart", "create database stalwart owner stalwart"));
    await server.says(/serving the API alone until a deploy has applied them: pulumi up/);
    expect(await servesMail()).toBe(false);
    expect(await isApplied()).toBe(false);
  });

  test("is written anew by a deploy of the same state", async () => {
    await apply(desired, desired);
    expect(await servesMail()).toBe(true);
  });
});

describe("a data store from before there was a marker", () => {
  const api = () => new StalwartApi(server.transport(), desired.target.api);
  const unmark = () => api().writeSettings([{ type: "delete", keys: [APPLIED_KEY] }]);
  const wrong = () => {
    const relays = [{ name: "smarthost", host: "mailbox.tail.test", tls: "tailnet" as const }];
    const state = stateOf(server, settings({ relays, outbound: { route: "smarthost" } }));
    return { ...state, settings: { ...state.settings, "queue.route.smarthost.port": "no-port" } };
  };

  test("is held back until a deploy comes, and served as it was where that one is refused", async () => {
    await unmark();
    await restart();
    await server.says(/serving the API alone/);
    await expect(apply(wrong(), desired)).rejects.toThrow(/refused to reload|no-port|port/);
    await server.says(/recovery: the settings are applied/);
    await server.says(/watch: SMTP greets/);
    expect(await servesMail()).toBe(true);
  });

  test("one that never was complete is still held back after a deploy that is refused", async () => {
    await unmark();
    await restart();
    await server.says(/serving the API alone/);
    await expect(apply(wrong())).rejects.toThrow();
    expect(await isApplied()).toBe(false);
    expect(await servesMail()).toBe(false);
  });
});
