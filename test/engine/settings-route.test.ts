/**
 * Which route mail takes after each step of a change (lesson 12), seen at two real SMTP servers;
 * and the probe that proves it in a deploy.
 */
import { writeFileSync } from "node:fs";
import { createTransport } from "nodemailer";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { StalwartSettingsInput } from "../../lib/desired-state/schema.ts";
import { StalwartApi } from "../../provider/keys/api.ts";
import { waitUntilReady } from "../../provider/server/wait-until-ready.ts";
import type { SettingsState } from "../../provider/keys/state.ts";
import { nameServer, ownAddress, type SmtpSink, smtpSink } from "./mail-sinks.ts";
import { applyTo, PASSWORD, stateOf } from "./settings-state.ts";
import { freePort, Postgres, StalwartServer } from "./stalwart-server.ts";

let postgres: Postgres;
let server: StalwartServer;
let dns: Awaited<ReturnType<typeof nameServer>>;
let one: SmtpSink;
let two: SmtpSink;
let deployed: SettingsState;

beforeAll(async () => {
  const own = ownAddress();
  dns = await nameServer(own);
  one = await smtpSink(own);
  two = await smtpSink(own);
  postgres = await Postgres.start();
  server = await StalwartServer.on(postgres);
  server.install(server.settings());
  server.start();
  await waitUntilReady(api(), 30_000);
  await insert([
    ["resolver.type", "custom"],
    ["resolver.custom.0000", `udp://127.0.0.1:${dns.port}`],
  ]);
  deployed = via("one");
  await apply(deployed);
});

afterAll(async () => {
  await server?.stop();
  postgres?.stop();
  dns?.close();
  one?.close();
  two?.close();
});

const api = () => new StalwartApi(server.transport(), `http://127.0.0.1:${server.ports.http}`);
const insert = (values: [string, string][]) =>
  api().writeSettings([{ type: "insert", prefix: null, values, assert_empty: false }]);
const apply = (desired: SettingsState, previous?: SettingsState) =>
  applyTo(server.transport(), desired, previous);

const with_ = (more: Partial<StalwartSettingsInput>) =>
  stateOf(server, server.settings({ accounts: [{ name: "alice", emails: ["alice@lab.test"] }], ...more }));

/** The state whose mail goes to one of the two servers, both by the name of mailbox.tail.test. */
function via(sink: "one" | "two", name = "smarthost"): SettingsState {
  const { port } = sink === "one" ? one : two;
  return with_({
    relays: [{ name, host: "mailbox.tail.test", port, tls: "tailnet" }],
    outbound: { route: name },
  });
}

async function send(subject: string): Promise<void> {
  await createTransport({
    host: "127.0.0.1",
    port: server.ports.submissions,
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user: "alice", pass: PASSWORD },
  }).sendMail({ from: "alice@lab.test", to: "bob@elsewhere.test", subject, text: subject });
}

/** Mail arrives at the one and not at the other. */
async function arrives(at: SmtpSink, subject: string): Promise<void> {
  const other = at === one ? two : one;
  await send(subject);
  await at.received(subject).catch((error: unknown) => {
    if (dns.questions() > 0) throw error;
    throw new Error(
      'Stalwart asked no DNS question: it is built with mail-auth\'s feature "test", which mocks every lookup',
    );
  });
  expect(other.messages.join()).not.toContain(`Subject: ${subject}`);
}

describe("after a change of the relay's port in the data store of 0.15 (recorded, step by step)", () => {
  test("written only: mail takes the old route", async () => {
    await arrives(one, "before");
    await insert([["queue.route.smarthost.port", String(two.port)]]);
    await arrives(one, "written");
  });

  test("reloaded: mail takes the new route", async () => {
    await api().reload();
    await arrives(two, "reloaded");
  });

  test("restarted: mail still takes the new route", async () => {
    await server.transport().restart(60_000);
    await waitUntilReady(api(), 30_000);
    await arrives(two, "restarted");
  });

  test("written only, and restarted without a reload: mail takes the new route", async () => {
    await insert([["queue.route.smarthost.port", String(one.port)]]);
    await server.transport().restart(60_000);
    await waitUntilReady(api(), 30_000);
    await arrives(one, "restarted-only");
  });
});

const full = test.runIf(process.env["TAILWART_FULL"]);

describe("a deploy that changes a route", () => {
  test("restarts once and proves the new route with a probe that the smarthost may refuse", async () => {
    const desired = via("two");
    const start = Date.now();
    const { restarts, probes, log } = await apply(desired, deployed);
    const seconds = (Date.now() - start) / 1000;
    deployed = desired;
    expect({ restarts, probes }).toEqual({ restarts: 1, probes: 1 });
    expect(log.join("\n")).toContain(
      `a probe took route "smarthost" (mailbox.tail.test:${two.port}): refused`,
    );
    expect(seconds).toBeLessThan(15);
    process.stderr.write(`route change with restart and probe: ${seconds.toFixed(1)} s\n`);
    await arrives(two, "deployed");
  });

  test("shows the smarthost nothing but an empty sender and a recipient that cannot exist", () => {
    const probe = two.commands.findIndex((line) =>
      /tailwart-probe@tailwart-[0-9a-f]{16}\.invalid/.test(line),
    );
    expect(two.commands[probe]).toMatch(/^RCPT TO:</);
    expect(two.commands.slice(0, probe).findLast((line) => line.startsWith("MAIL"))).toMatch(/^MAIL FROM:<>/);
    expect(two.messages.join()).not.toContain("tailwart-probe");
  });

  test("leaves nothing in the queue", async () => {
    expect(await api().queued("invalid")).toEqual([]);
  });

  test("and is repeated writes nothing, restarts nothing and probes nothing", async () => {
    const { writes, restarts, probes } = await apply(deployed, deployed);
    expect({ writes, restarts, probes }).toEqual({ writes: [], restarts: 0, probes: 0 });
  });

  test("shares its restart with a config.toml that is newer than the running server", async () => {
    const extra = await freePort();
    const settings = {
      listeners: [
        ...server.settings().listeners,
        { name: "extra", protocol: "smtp" as const, port: extra, bind: "127.0.0.1" },
      ],
      relays: [{ name: "smarthost", host: "mailbox.tail.test", port: one.port, tls: "tailnet" as const }],
      outbound: { route: "smarthost" },
    };
    const desired = with_(settings);
    server.install(server.settings(settings));
    const { restarts, probes, log } = await apply(desired, deployed);
    expect({ restarts, probes }).toEqual({ restarts: 1, probes: 1 });
    expect(log.join("\n")).toMatch(
      /mail goes another way \(lesson 12\), and it runs with other values of .*extra\.bind/,
    );
    await createTransport({ host: "127.0.0.1", port: extra, ignoreTLS: true }).verify();
    deployed = via("one");
    server.install(server.settings());
    expect((await apply(deployed, desired)).restarts).toBe(1);
  });

  full(
    "and needs what only the newer config.toml holds is not refused for the reload before the restart",
    async () => {
      const settings: Partial<StalwartSettingsInput> = {
        relays: [{ name: "smarthost", host: "mailbox.tail.test", port: two.port, tls: "tailnet" }],
        outbound: { route: "smarthost" },
        acme: [
          {
            id: "lab",
            directory: "https://127.0.0.1:9/dir",
            contact: ["postmaster@lab.test"],
            challenge: "dns-01",
            names: ["*.lab.test"],
          },
        ],
        dnsProvider: { type: "desec", secretFile: "/etc/stalwart/secrets/dns" },
      };
      const desired = with_(settings);
      server.install(server.settings(settings));
      writeFileSync(server.path("/etc/stalwart/secrets/dns"), "token");
      const { restarts, probes } = await apply(desired, deployed);
      expect({ restarts, probes }).toEqual({ restarts: 1, probes: 1 });
      server.install(server.settings());
      await apply(deployed, desired);
    },
  );

  test("to direct delivery is proved by the look-up of the recipient's own domain", async () => {
    const desired = with_({});
    const { probes, log } = await apply(desired, deployed);
    expect(probes).toBe(1);
    expect(log.join("\n")).toContain(
      `a probe took route "mx" (straight to the MX of the recipient's domain): not reached`,
    );
    await apply(deployed, desired);
  });

  full("to a smarthost that has no address is proved, and left to `verify` to judge", async () => {
    const desired = with_({
      relays: [{ name: "smarthost", host: "mailbox.gone.test", tls: "tailnet" }],
      tailnetDomain: "gone.test",
      outbound: { route: "smarthost" },
    });
    const { log } = await apply(desired, deployed);
    expect(log.join("\n")).toContain(`a probe took route "smarthost" (mailbox.gone.test): not reached`);
    await apply(deployed, desired);
  });

  full(
    "to a smarthost that does not listen is proved, and the probe that waits for another try is taken out of the queue",
    async () => {
      const desired = with_({
        relays: [{ name: "smarthost", host: "mailbox.tail.test", port: await freePort(), tls: "tailnet" }],
        outbound: { route: "smarthost" },
      });
      const { log } = await apply(desired, deployed);
      expect(log.join("\n")).toMatch(
        /a probe took route "smarthost" \(mailbox\.tail\.test:\d+\): not reached/,
      );
      const deadline = Date.now() + 5000;
      while ((await api().queued("invalid")).length > 0 && Date.now() < deadline) await sleep(100);
      expect(await api().queued("invalid")).toEqual([]);
      await apply(deployed, desired);
    },
  );

  full("where no listener speaks SMTP restarts, and says that nothing was proved", async () => {
    const desired = via("two");
    for (const key of Object.keys(desired.fileSettings))
      if (/^server\.listener\.(smtp|submissions)\./.test(key)) delete desired.fileSettings[key];
    const { restarts, probes, log } = await apply(desired, {
      ...deployed,
      fileSettings: desired.fileSettings,
    });
    expect({ restarts, probes }).toEqual({ restarts: 1, probes: 0 });
    expect(log.join("\n")).toContain("no listener speaks SMTP");
    await apply(deployed, desired);
  });

  test("and finds the old route in force fails, names route and host and what to do, and puts the settings back", async () => {
    const desired = via("two", "other");
    const transport = server.transport();
    const { ask } = transport;
    // A server that says yes to the reload and the restart, and goes on as before: lesson 12.
    transport.restart = () => Promise.resolve({ status: 0, stdout: "", stderr: "" });
    transport.ask = (question) =>
      question.url.endsWith("/api/reload")
        ? Promise.resolve({ status: 200, text: '{"data":{}}' })
        : ask(question);
    const error: unknown = await applyTo(transport, desired, deployed).catch((e: unknown) => e);
    expect(String(error)).toMatch(
      new RegExp(
        `does not send mail the declared way: route "other" \\(mailbox\\.tail\\.test:${two.port}\\) is stored and loaded, but a probe went mailbox\\.tail\\.test:${one.port}`,
      ),
    );
    expect(String(error)).toContain("run `pulumi up` again");
    const { writes, restarts } = await apply(deployed, deployed);
    expect({ writes, restarts }).toEqual({ writes: [], restarts: 0 });
    await arrives(one, "put-back");
  });
});
