/**
 * The settings resource through the real Pulumi engine. Docker is a script that runs the pipe here
 * instead of in a container.
 */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { toFileKeys, toSettingKeys } from "../../lib/desired-state/keys/keys.ts";
import { toPrincipals } from "../../lib/desired-state/keys/principals.ts";
import { StalwartApi } from "../../provider/keys/api.ts";
import { CuttableProxy } from "./cuttable-proxy.ts";
import { SettingsProject } from "./settings-project.ts";
import { Postgres, StalwartServer } from "./stalwart-server.ts";

const HASH = execFileSync("openssl", ["passwd", "-6", "alice-password"]).toString().trim();

let postgres: Postgres;
let server: StalwartServer;
let project: SettingsProject;
let proxy: CuttableProxy;
let proxied: string;

beforeAll(async () => {
  postgres = await Postgres.start();
  server = await StalwartServer.on(postgres);
  server.install(desired("mailbox.tail.test"));
  server.start();
  proxy = new CuttableProxy(server.ports.http);
  proxied = `http://127.0.0.1:${await proxy.listen()}`;
  project = new SettingsProject(
    server.directory,
    'export const { passwordsInForce } = new Settings("mail", args);',
  );
  await project.init();
});

afterAll(async () => {
  await server?.stop();
  postgres?.stop();
  project?.remove();
  proxy?.close();
});

const desired = (relay: string) =>
  server.settings({
    relays: [{ name: "smarthost", host: relay, tls: "tailnet" }],
    outbound: { route: "smarthost" },
    accounts: [{ name: "alice", emails: ["alice@lab.test"] }],
  });

function program(relay: string, more: Record<string, string> = {}): void {
  const settings = desired(relay);
  const args = {
    target: { dockerHost: "unix:///none", container: "stalwart", api: proxied },
    settings: { ...toSettingKeys(settings), ...more },
    fileSettings: Object.fromEntries(
      Object.entries(toFileKeys(settings)).map(([k, v]) => [k, server.path(v)]),
    ),
    domains: toPrincipals(settings).domains,
    accounts: { alice: { emails: ["alice@lab.test"], secret: HASH } },
  };
  project.args(args);
}

const pulumi = (...args: string[]) => project.pulumi(...args);
const up = (...args: string[]) => project.up(...args);
const preview = (...args: string[]) => project.preview(...args);

const api = () => new StalwartApi(server.transport(), `http://127.0.0.1:${server.ports.http}`);
const live = async (key: string) => (await api().readSettings([key], []))[key];

describe("tailwart:mail:Settings in the engine", () => {
  test("is created, and a second up changes nothing, also after a refresh", async () => {
    program("mailbox.tail.test");
    const first = await up();
    expect(first.status, first.output).toBe(0);
    expect(await live("queue.route.smarthost.address")).toBe("mailbox.tail.test");
    expect(first.output).toMatch(/a probe took route "smarthost" \(mailbox\.tail\.test\): not reached/);
    const second = await up("--expect-no-changes");
    expect(second.status, second.output).toBe(0);
    const third = await up("--expect-no-changes", "--refresh");
    expect(third.status, third.output).toBe(0);
  });

  test("its output names the accounts whose password is the declared one, as a refresh finds them", async () => {
    const inForce = async () => {
      const { output } = await pulumi("stack", "output", "--json", "--stack", "test");
      return (JSON.parse(output) as { passwordsInForce: string[] }).passwordsInForce;
    };
    program("mailbox.tail.test");
    expect(await inForce()).toEqual(["alice"]);
    const theirs = execFileSync("openssl", ["passwd", "-6", "their-own"]).toString().trim();
    for (const [value, names] of [
      [theirs, []],
      [HASH, ["alice"]],
    ] as const) {
      await api().updatePrincipal("alice", [{ action: "addItem", field: "secrets", value }]);
      const { status, output } = await up("--refresh");
      expect(status, output).toBe(0);
      expect(await inForce()).toEqual(names);
    }
  });

  test("a preview names each setting that changes, with its old and new value, and asks nobody", async () => {
    program("other.tail.test");
    const before = project.dockerLog;
    const { status, output } = await preview();
    expect(status, output).toBe(0);
    expect(output).toContain('~ queue.route.smarthost.address: "mailbox.tail.test" => "other.tail.test"');
    expect(output).not.toContain("queue.route.smarthost.port");
    expect(project.dockerLog).toBe(before);
    expect(await live("queue.route.smarthost.address")).toBe("mailbox.tail.test");
  });

  test("a strategy that names no declared route fails the preview, and says why and what is accepted", async () => {
    program("mailbox.tail.test", { "queue.strategy.route.0001.else": "'nowhere'" });
    const { status, output } = await preview();
    expect(status).not.toBe(0);
    expect(output).toContain("queue.strategy.route.0001.else");
    expect(output).toContain("lesson 14");
    expect(output).toContain("'smarthost'");
  });

  test("a hand edit is shown by a refresh and put back by the next up", async () => {
    program("mailbox.tail.test");
    await api().writeSettings([
      {
        type: "insert",
        prefix: null,
        values: [["queue.route.smarthost.address", "hand.tail.test"]],
        assert_empty: false,
      },
    ]);
    const shown = await preview("--refresh");
    expect(shown.output).toContain(
      '~ queue.route.smarthost.address: "hand.tail.test" => "mailbox.tail.test"',
    );
    const { status, output } = await up("--refresh");
    expect(status, output).toBe(0);
    expect(await live("queue.route.smarthost.address")).toBe("mailbox.tail.test");
  });

  test("what the server refuses fails the up with key and reason and without a stack; nothing of it stays", async () => {
    program("mailbox.tail.test", { "queue.route.smarthost.port": "many" });
    const refused = await up();
    expect(refused.status).not.toBe(0);
    expect(refused.output).toMatch(
      /refused to reload and keeps its old settings:\s+queue\.route\.smarthost\.port: /,
    );
    expect(refused.output).not.toMatch(/\n\s+at /);
    expect(await live("queue.route.smarthost.port")).toBe("587");
    program("mailbox.tail.test");
    const mended = await up("--expect-no-changes", "--refresh");
    expect(mended.status, mended.output).toBe(0);
  });

  test.runIf(process.env["TAILWART_FULL"])(
    "a deploy that is cut off after a write is put right by the next up, also when the program is again what it was",
    async () => {
      program("cut.tail.test");
      proxy.cutAfterWrite = true;
      const cut = await up();
      expect(cut.status).not.toBe(0);
      expect(cut.output).toContain("could not be put back");
      expect(await live("queue.route.smarthost.address")).toBe("cut.tail.test");
      proxy.cut = proxy.cutAfterWrite = false;

      program("mailbox.tail.test");
      expect((await preview()).output).toMatch(/- interrupted *: true/);
      rmSync(join(project.folder, "restarted"), { force: true });
      const mended = await up();
      expect(mended.status, mended.output).toBe(0);
      expect(await live("queue.route.smarthost.address")).toBe("mailbox.tail.test");
      expect(existsSync(join(project.folder, "restarted"))).toBe(true);
      expect((await up("--expect-no-changes")).status).toBe(0);
    },
  );

  test("the account's hash and the admin's password are in no output, no argument and no plain state", async () => {
    const { output } = await preview("--refresh");
    const state = execFileSync("cat", [
      join(project.folder, "state/.pulumi/stacks/settings/test.json"),
    ]).toString();
    expect(state).toContain("queue.route.smarthost.address");
    for (const text of [output, state, project.dockerLog]) {
      expect(text).not.toContain(HASH);
      expect(text).not.toContain("admin-password");
    }
  });

  test("destroy takes the settings back and leaves the account and what somebody else made", async () => {
    await api().writeSettings([
      { type: "insert", prefix: null, values: [["session.extensions.expn", "false"]], assert_empty: false },
    ]);
    const { status, output } = await pulumi("destroy", "--yes", "--skip-preview", "--stack", "test");
    expect(status, output).toBe(0);
    expect(
      await api().readSettings([], ["queue.route.smarthost", "queue.strategy.route", "server.allowed-ip"]),
    ).toEqual({});
    expect(await live("session.extensions.expn")).toBe("false");
    expect((await api().principal("alice"))?.emails).toEqual(["alice@lab.test"]);
  });
});
