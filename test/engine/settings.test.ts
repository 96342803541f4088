import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { toFileKeys, toSettingKeys } from "../../lib/settings/keys.ts";
import type { StalwartSettings } from "../../lib/settings/schema.ts";
import { StalwartApi } from "../../provider/api.ts";
import { converge, PartialError } from "../../provider/converge.ts";
import { SettingsResource } from "../../provider/resource.ts";
import type { SettingsState } from "../../provider/state.ts";
import { freePort, Postgres, StalwartServer } from "./stalwart-server.ts";

const HASH = execFileSync("openssl", ["passwd", "-6", "alice-password"]).toString().trim();

let postgres: Postgres;
let server: StalwartServer;

beforeAll(async () => {
  postgres = await Postgres.start();
  server = await StalwartServer.on(postgres);
  server.install(server.settings());
  server.start();
});

afterAll(async () => {
  await server?.stop();
  postgres?.stop();
});

function stateOf(settings: StalwartSettings): SettingsState {
  return {
    target: { dockerHost: "unix:///none", container: "test", api: `http://127.0.0.1:${server.ports.http}` },
    settings: toSettingKeys(settings),
    fileSettings: Object.fromEntries(
      Object.entries(toFileKeys(settings)).map(([k, v]) => [k, server.path(v)]),
    ),
    domains: settings.domains,
    accounts: Object.fromEntries(settings.accounts.map((a) => [a.name, { emails: a.emails, secret: HASH }])),
  };
}

/** Applies, and says which requests that took. */
async function apply(desired: SettingsState, previous?: SettingsState) {
  const transport = server.transport();
  const log: string[] = [];
  await new SettingsResource(() => transport).apply(desired, previous, (message) => log.push(message));
  const writes = transport.requests.filter((request) => !request.startsWith("GET "));
  return { writes, log, restarts: transport.restarts, requests: transport.requests };
}

const read = (state: SettingsState) => new SettingsResource(() => server.transport()).read(state);
const api = () => new StalwartApi(server.transport(), `http://127.0.0.1:${server.ports.http}`);

const base = () =>
  server.settings({
    allowedIps: ["100.64.0.0/10", "203.0.113.20"],
    relays: [{ name: "smarthost", host: "mailbox.tail.test", tls: "tailnet" }],
    outbound: { route: "smarthost" },
    accounts: [{ name: "alice", emails: ["alice@lab.test"] }],
  });

describe("the settings of a real Stalwart", () => {
  test("are created, reloaded and read back as desired, routes before strategy", async () => {
    const desired = stateOf(base());
    const { writes, log, requests } = await apply(desired);
    expect(writes.filter((w) => w.includes("settings"))).toHaveLength(2);
    expect(log.findIndex((l) => l.includes("queue.route.smarthost.address"))).toBeLessThan(
      log.findIndex((l) => l.includes("queue.strategy.route")),
    );
    expect(requests).toContain("GET /api/reload");
    expect(await read(desired)).toEqual(desired);
  });

  test("a second apply writes nothing", async () => {
    const desired = stateOf(base());
    expect((await apply(desired, desired)).writes).toEqual([]);
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
      ["session.mta-sts.mode", "testing"],
    ];
    await api().writeSettings([{ type: "insert", prefix: null, values, assert_empty: false }]);
    const desired = stateOf(base());
    expect((await apply(desired, desired)).writes).toEqual([]);
    expect(await api().readSettings(["queue.route.theirs.type", "session.mta-sts.mode"], [])).toEqual(
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
    expect((await apply(before, before)).writes).toEqual([]);
    expect((await api().principal("alice"))?.secrets).toEqual([fresh]);

    const mine = execFileSync("openssl", ["passwd", "-6", "third-password"]).toString().trim();
    const desired = {
      ...before,
      accounts: { alice: { emails: ["alice@lab.test", "post@lab.test"], secret: mine } },
    };
    expect((await apply(desired, before)).writes).toEqual(["PATCH /api/principal/alice"]);
    expect(await api().principal("alice")).toMatchObject({
      secrets: [mine],
      emails: ["alice@lab.test", "post@lab.test"],
    });
    await apply(before, desired);
    expect(await api().principal("alice")).toMatchObject({ secrets: [HASH], emails: ["alice@lab.test"] });
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

describe("an apply that is killed", () => {
  test("after any of its requests is finished by the next one", async () => {
    const before = stateOf(base());
    const desired = stateOf({
      ...base(),
      relays: [
        { ...base().relays[0], name: "other", host: "other.tail.test", port: 2525, tls: "starttls" } as never,
      ],
      outbound: { route: "other", connectTimeout: 31 },
      allowedIps: ["100.64.0.0/10", "203.0.113.21"],
    });
    let survived = 0;
    for (let limit = 1; survived === 0; limit++) {
      await apply(before, desired);
      const transport = server.transport();
      const { curl } = transport;
      // From here on nothing gets through, so nothing can be put back either: as if the process were gone.
      transport.curl = (args, stdin, deadline) =>
        transport.requests.length < limit
          ? curl.call(transport, args, stdin, deadline)
          : Promise.resolve({ status: 7, stdout: "", stderr: "killed" });
      try {
        await converge(new StalwartApi(transport, desired.target.api), desired, before, {
          readyDeadline: 1000,
        });
        survived = limit;
      } catch {
        await apply(desired, before);
        expect(await read(desired)).toEqual(desired);
        expect(await api().readSettings([], ["queue.route.smarthost"])).toEqual({});
      }
    }
    expect(survived).toBeGreaterThan(6);
    await apply(before, desired);
  });

  test("and could not put back what it had written says so, so that the engine updates again", async () => {
    const before = stateOf(base());
    const desired = { ...before, settings: { ...before.settings, "queue.route.smarthost.port": "2525" } };
    const transport = server.transport();
    const { curl } = transport;
    transport.curl = (args, stdin, deadline) =>
      transport.requests.includes("POST /api/settings")
        ? Promise.resolve({ status: 7, stdout: "", stderr: "killed" })
        : curl.call(transport, args, stdin, deadline);
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
  test("a deploy fails in bounded time and names the gate and its Postgres", async () => {
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
  });
});

describe("which route mail takes (lesson 12)", () => {
  test("changes by the reload, not by the write, and needs no restart", async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((i) => i?.family === "IPv4" && !i.internal)?.address;
    if (!address)
      throw new Error(
        "this test needs an IPv4 address other than loopback: Stalwart refuses loopback as a relay",
      );
    const dns = await nameServer(address);
    const sinks = [await smtpSink(address), await smtpSink(address)] as const;
    try {
      const route = (sink: number) =>
        stateOf(
          server.settings({
            ...base(),
            relays: [
              { name: "smarthost", host: "mailbox.tail.test", port: sinks[sink]?.port ?? 0, tls: "tailnet" },
            ],
          }),
        );
      const resolver: [string, string][] = [
        ["resolver.type", "custom"],
        ["resolver.custom.0000", `udp://127.0.0.1:${dns.port}`],
      ];
      await api().writeSettings([{ type: "insert", prefix: null, values: resolver, assert_empty: false }]);
      await apply(route(0), stateOf(base()));
      await send("one");
      await sinks[0].received("one").catch((error: unknown) => {
        if (dns.questions() > 0) throw error;
        throw new Error(
          'Stalwart asked no DNS question: it is built with mail-auth\'s feature "test", which mocks every lookup',
        );
      });

      const port: [string, string] = ["queue.route.smarthost.port", String(sinks[1].port)];
      await api().writeSettings([{ type: "insert", prefix: null, values: [port], assert_empty: false }]);
      await send("two");
      await sinks[0].received("two"); // written only: the old route still holds

      await apply(route(1), route(0));
      await send("three");
      await sinks[1].received("three");
      expect(sinks[0].messages.join()).not.toContain("three");
    } finally {
      dns.close();
      for (const sink of sinks) sink.close();
    }
  });
});

async function send(subject: string): Promise<void> {
  await createTransport({
    host: "127.0.0.1",
    port: server.ports.submissions,
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user: "alice", pass: "alice-password" },
  }).sendMail({ from: "alice@lab.test", to: "bob@elsewhere.test", subject, text: subject });
}

/** A DNS server that gives every A question the same answer, and no answer to any other. */
async function nameServer(address: string) {
  const socket = createSocket("udp4");
  let questions = 0;
  socket.on("message", (query, peer) => {
    questions++;
    let end = 12;
    while (query[end]) end += (query[end] ?? 0) + 1;
    const question = query.subarray(12, end + 5);
    const isA = query.readUInt16BE(end + 1) === 1;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8580, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(isA ? 1 : 0, 6);
    header.writeUInt32BE(0, 8);
    const answer = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split(".").map(Number)]);
    socket.send(Buffer.concat([header, question, ...(isA ? [answer] : [])]), peer.port, peer.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { port: socket.address().port, questions: () => questions, close: () => socket.close() };
}

/** An SMTP server without TLS that keeps what it is sent. */
async function smtpSink(address: string) {
  const messages: string[] = [];
  const sink = createServer((socket) => {
    let data: string | undefined;
    socket.on("error", () => undefined);
    socket.write("220 sink ESMTP\r\n");
    socket.on("data", (chunk) => {
      if (data !== undefined) {
        data += chunk.toString();
        if (!data.includes("\r\n.\r\n")) return;
        messages.push(data);
        data = undefined;
        socket.write("250 kept\r\n");
        return;
      }
      for (const line of chunk.toString().split("\r\n").filter(Boolean)) {
        if (/^DATA/i.test(line)) {
          data = "";
          socket.write("354 go on\r\n");
        } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
        else socket.write("250 sink\r\n");
      }
    });
  });
  sink.listen(0, address);
  await once(sink, "listening");
  return {
    messages,
    port: (sink.address() as AddressInfo).port,
    close: () => sink.close(),
    async received(subject: string): Promise<void> {
      const deadline = Date.now() + 15_000;
      while (!messages.some((message) => message.includes(`Subject: ${subject}`))) {
        if (Date.now() > deadline)
          throw new Error(`"${subject}" did not arrive; log:\n${server.log.slice(-3000)}`);
        await sleep(50);
      }
    },
  };
}
