import { execFileSync } from "node:child_process";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { PartialError } from "../../provider/plugin/partial-error.ts";
import type { StalwartSettings } from "../../lib/desired-state/schema.ts";
import { StalwartApi } from "../../provider/keys/api.ts";
import { converge } from "../../provider/keys/converge.ts";
import { UnreachableError } from "../../provider/server/pipe.ts";
import { SettingsResource } from "../../provider/keys/resource.ts";
import type { SettingsState } from "../../provider/keys/state.ts";
import { applyTo, HASH, readDeclared, stateOf as stateOfServer } from "./settings-state.ts";
import { freePort, Postgres, StalwartServer } from "./stalwart-server.ts";

let postgres: Postgres;
let server: StalwartServer;

beforeAll(async () => {
  ({ postgres, server } = await StalwartServer.started());
});

afterAll(async () => {
  await server?.stop();
  postgres?.stop();
});

const stateOf = (settings: StalwartSettings) => stateOfServer(server, settings);
const apply = (desired: SettingsState, previous?: SettingsState) =>
  applyTo(server.transport(), desired, previous);

const read = (state: SettingsState) => readDeclared(server, state);
const api = () => new StalwartApi(server.transport(), `http://127.0.0.1:${server.ports.http}`);

const base = () =>
  server.settings({
    allowedIps: ["100.64.0.0/10", "203.0.113.20"],
    relays: [{ name: "smarthost", host: "mailbox.tail.test", tls: "tailnet" }],
    outbound: { route: "smarthost" },
    accounts: [{ name: "alice", emails: ["alice@lab.test"] }],
  });

describe("the settings of a real Stalwart", () => {
  test("are created, reloaded and read back as desired, routes before strategy and the marker last", async () => {
    const desired = stateOf(base());
    const { writes, log, requests } = await apply(desired);
    expect(writes.filter((w) => w.includes("settings"))).toHaveLength(3);
    expect(requests.indexOf("GET /api/reload")).toBeLessThan(requests.lastIndexOf("POST /api/settings"));
    expect(log.findIndex((l) => l.includes("queue.route.smarthost.address"))).toBeLessThan(
      log.findIndex((l) => l.includes("queue.strategy.route")),
    );
    expect(requests).toContain("GET /api/reload");
    expect(await read(desired)).toEqual(desired);
  });

  test("a second apply writes nothing, and asks all that it asks over one connection", async () => {
    const desired = stateOf(base());
    const { writes, requests, pipes } = await apply(desired, desired);
    expect({ writes, pipes }).toEqual({ writes: [], pipes: 1 });
    expect(requests.length).toBeGreaterThan(5);
    expect((await apply(desired)).writes).toEqual([]);
  });

  test("let the account log in and submit with its declared password, and with no other", async () => {
    const options = {
      host: "127.0.0.1",
      port: server.ports.submissions,
      secure: true,
      tls: { rejectUnauthorized: false },
    };
    await createTransport({ ...options, auth: { user: "alice", pass: "alice-password" } }).verify();
    await expect(
      createTransport({ ...options, auth: { user: "alice", pass: "wrong" } }).verify(),
    ).rejects.toThrow(/535/);
  });

  test("an update writes only what differs", async () => {
    const before = stateOf(base());
    const desired = stateOf({ ...base(), outbound: { route: "smarthost", connectTimeout: 45 } });
    const { writes, log } = await apply(desired, before);
    expect(writes).toEqual(["POST /api/settings"]);
    expect(log).toContain("writing queue.connection.default.timeout.connect");
    await apply(before, desired);
  });

  test("a hand edit, a stranger in an owned group and a hand-made override of the strategy are seen, and put back", async () => {
    const desired = stateOf(base());
    const values: [string, string][] = [
      ["queue.route.smarthost.address", "elsewhere.tail.test"],
      ["server.allowed-ip.198.51.100.9", ""],
      ["queue.strategy.route", "'mx'"],
    ];
    await api().writeSettings([
      { type: "insert", prefix: null, values, assert_empty: false },
      { type: "delete", keys: ["queue.route.smarthost.tls.implicit"] },
    ]);
    const live = await read(desired);
    expect(live?.settings["queue.route.smarthost.address"]).toBe("elsewhere.tail.test");
    expect(live?.settings).toHaveProperty(["server.allowed-ip.198.51.100.9"], "");
    expect(live?.settings["queue.strategy.route"]).toBe("'mx'");
    expect(live?.settings).not.toHaveProperty(["queue.route.smarthost.tls.implicit"]);

    await apply(desired, live);
    expect(await read(desired)).toEqual(desired);
  });

  test("that somebody else made are left alone", async () => {
    const values: [string, string][] = [
      ["queue.route.theirs.type", "mx"],
      ["session.extensions.expn", "false"],
    ];
    await api().writeSettings([{ type: "insert", prefix: null, values, assert_empty: false }]);
    const desired = stateOf(base());
    expect((await apply(desired, desired)).writes).toEqual([]);
    expect(await api().readSettings(["queue.route.theirs.type", "session.extensions.expn"], [])).toEqual(
      Object.fromEntries(values),
    );
  });

  test("a reload that the server refuses fails the deploy, naming the key, though the answer is HTTP 200", async () => {
    const before = stateOf(base());
    const wrong = { ...before, settings: { ...before.settings, "queue.route.smarthost.port": "many" } };
    await expect(apply(wrong, before)).rejects.toThrow(
      /refused to reload and keeps its old settings:\s+queue\.route\.smarthost\.port: /,
    );
    // Nothing of it stays stored, where the next start would take it.
    expect(await read(before)).toEqual(before);
    expect((await apply(before, before)).writes).toEqual([]);
  });

  test("a route that is taken out goes, after the strategy has let go of it", async () => {
    const before = stateOf(base());
    const desired = stateOf({ ...base(), relays: [], outbound: { route: "mx", connectTimeout: 30 } });
    const { log } = await apply(desired, before);
    expect(log.findIndex((l) => l.includes("queue.strategy.route"))).toBeLessThan(
      log.findIndex((l) => l.includes("queue.route.smarthost.address")),
    );
    expect(await api().readSettings([], ["queue.route.smarthost"])).toEqual({});
    await apply(before, desired);
  });

  test("a password is set anew when its declared hash changes, and not when its owner has changed it", async () => {
    const before = stateOf(base());
    const fresh = execFileSync("openssl", ["passwd", "-6", "other-password"]).toString().trim();
    await api().updatePrincipal("alice", [{ action: "addItem", field: "secrets", value: fresh }]);
    const { writes, passwordsInForce, log } = await apply(before, before);
    expect({ writes, passwordsInForce }).toEqual({ writes: [], passwordsInForce: [] });
    expect(log.join("\n")).not.toContain("alice");
    expect((await api().principal("alice"))?.secrets).toEqual([fresh]);

    const mine = execFileSync("openssl", ["passwd", "-6", "third-password"]).toString().trim();
    const desired = {
      ...before,
      accounts: { alice: { emails: ["alice@lab.test", "post@lab.test"], secret: mine } },
    };
    const changed = await apply(desired, before);
    expect(changed.writes).toEqual(["PATCH /api/principal/alice"]);
    expect(changed.passwordsInForce).toEqual(["alice"]);
    expect(await api().principal("alice")).toMatchObject({
      secrets: [mine],
      emails: ["alice@lab.test", "post@lab.test"],
    });
    await apply(before, desired);
    expect(await api().principal("alice")).toMatchObject({ secrets: [HASH], emails: ["alice@lab.test"] });
  });

  test("the password of an account that was there before, as after a loss of the state, is not counted as set, and that is said", async () => {
    const before = stateOf(base());
    const made = execFileSync("openssl", ["passwd", "-6", "made-anew"]).toString().trim();
    const anew = { ...before, accounts: { alice: { emails: ["alice@lab.test"], secret: made } } };
    const { passwordsInForce, log } = await apply(anew, undefined);
    expect(passwordsInForce).toEqual([]);
    expect(log).toContain(
      "account alice was there before and keeps its password: the one made for it is not set",
    );
    expect((await api().principal("alice"))?.secrets).toEqual([HASH]);
    const resource = new SettingsResource(() => server.transport());
    expect((await resource.read(anew))?.passwordsInForce).toEqual([]);
    expect((await resource.read(before))?.passwordsInForce).toEqual(["alice"]);
  });

  test("killed between write and reload, the next apply finishes", async () => {
    const before = stateOf(base());
    const desired = stateOf({ ...base(), outbound: { route: "smarthost", connectTimeout: 60 } });
    await api().writeSettings([
      {
        type: "insert",
        prefix: null,
        values: [["queue.connection.default.timeout.connect", "60s"]],
        assert_empty: false,
      },
    ]);
    const { writes, requests } = await apply(desired, before);
    expect(writes).toEqual([]);
    expect(requests).toContain("GET /api/reload");
    await apply(before, desired);
  });
});

describe("an apply that is cut off after its first write", () => {
  test("and could not put back what it had written says so, so that the engine updates again", async () => {
    const before = stateOf(base());
    const desired = { ...before, settings: { ...before.settings, "queue.route.smarthost.port": "2525" } };
    const transport = server.transport();
    const { ask } = transport;
    transport.ask = (question) =>
      transport.requests.includes("POST /api/settings")
        ? Promise.reject(new UnreachableError("killed"))
        : ask(question);
    await expect(converge(new StalwartApi(transport, desired.target.api), desired, before)).rejects.toThrow(
      PartialError,
    );
    await apply(before, desired);
  });
});

describe("the config file", () => {
  test("that is newer than the running server makes it restart once, and the new listener answers", async () => {
    const before = base();
    const extra = await freePort();
    const changed = server.settings({
      ...base(),
      listeners: [...before.listeners, { name: "extra", protocol: "smtp", port: extra, bind: "127.0.0.1" }],
    });
    server.install(changed);
    const { restarts, log } = await apply(stateOf(changed), stateOf(before));
    expect(restarts).toBe(1);
    expect(log[0]).toContain("server.listener.extra.bind");
    await createTransport({ host: "127.0.0.1", port: extra, ignoreTLS: true }).verify();
    server.install(before);
    expect((await apply(stateOf(before), stateOf(changed))).restarts).toBe(1);
  });

  test("that does not hold what is declared fails the deploy and says what to do", async () => {
    const changed = stateOf(server.settings({ ...base(), hostname: "other.lab.test" }));
    await expect(apply(changed, stateOf(base()))).rejects.toThrow(
      /config\.toml .* does not hold .* server\.hostname/,
    );
  });

  test("keeps every secret out of what the API lists: macros come back unexpanded", async () => {
    const keys = ["store.postgres.password", "authentication.fallback-admin.secret"];
    const live = await api().readSettings(keys, []);
    expect(Object.keys(live).sort()).toEqual([...keys].sort());
    for (const value of Object.values(live)) expect(value).toMatch(/^%\{file:.*\}%$/);
  });
});

describe("while Postgres is away", () => {
  test.runIf(process.env["TAILWART_FULL"])(
    "a deploy fails in bounded time and names the gate and its Postgres",
    async () => {
      await server.end();
      postgres.pause();
      server.log = "";
      server.start();
      await server.says(/gate: waiting for Postgres localhost:\d+: connection refused/);
      const start = Date.now();
      const resource = new SettingsResource(() => server.transport());
      const state = stateOf(base());
      await expect(resource.read(state)).rejects.toThrow(
        new RegExp(
          `Stalwart in container test is still waiting for Postgres localhost:${postgres.port} .*: connection refused`,
        ),
      );
      expect(Date.now() - start).toBeLessThan(20_000);

      const said: string[] = [];
      await resource.delete(state, (message) => said.push(message));
      expect(said[0]).toContain("the settings stay in Stalwart's data store");

      postgres.resume();
      await server.says(/watch: SMTP greets/);
      expect(await read(state)).toEqual(state);
    },
  );
});
