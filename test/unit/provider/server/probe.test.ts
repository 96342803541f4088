/**
 * The probe of a route, against logs as Stalwart writes them; a real one is probed in
 * test/engine/settings-route.test.ts.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { DeclaredRoute } from "../../../../provider/server/routing.ts";
import { handoverIn, type Probing, probeRoute } from "../../../../provider/server/probe.ts";
import { RegistryResource } from "../../../../provider/registry/resource.ts";
import type { Transport } from "../../../../provider/server/transport.ts";
import { FakeRegistry } from "../../../fakes/fake-registry.ts";
import { FakeSubmission } from "../../../fakes/fake-submission.ts";
import { fakeTransport } from "../../../fakes/fake-transport.ts";
import { registryObjects } from "../registry/objects.ts";

const OK = { status: 0, stdout: "", stderr: "" };
const event = (name: string, rest: string, domain = "a.invalid") =>
  `2026-11-23T07:33:55Z INFO Words (delivery.${name}) queueId = 1, to = ["tailwart-probe@${domain}"], domain = "${domain}"${rest}`;

const relay: DeclaredRoute = { name: "smarthost", to: "relay", host: "mailbox.tail.test", port: 587 };
const said: string[] = [];
const servers: FakeSubmission[] = [];
beforeEach(() => void (said.length = 0));
afterEach(() => servers.splice(0).forEach((server) => server.close()));

function submissionServer(implicitTls = true): FakeSubmission {
  const server = new FakeSubmission(implicitTls);
  servers.push(server);
  return server;
}

/** Probes a server whose log says what the test says became of the message. */
async function probe(
  log: (domain: string) => string,
  more: Partial<Probing> = {},
  server = submissionServer(),
): Promise<void> {
  const now = () => log(server.recipient.split("@")[1] ?? "");
  await probeRoute({
    transport: fakeTransport({
      inspect: () => Promise.resolve({ exists: true, running: true, log: now() }),
    }),
    submission: { host: "127.0.0.1", port: await server.listen(), implicitTls: server.implicitTls },
    routes: [relay],
    log: (message) => said.push(message),
    deadline: 10_000,
    ...more,
  });
}

describe("whom a probe was handed to", () => {
  test("is the host of the first connection, with its port", () => {
    const log = [
      event("attempt-start", ""),
      event(
        "connect",
        ', hostname = "mx.tail.test", localIp = 0.0.0.0, remoteIp = 100.64.0.9, remotePort = 587',
      ),
      event("delivered", ', hostname = "mx.tail.test"'),
    ].join("\n");
    expect(handoverIn(log, "a.invalid")).toEqual({ host: "mx.tail.test", port: 587, outcome: "taken" });
  });

  test.each([
    ["ip-lookup-failed", "not reached"],
    ["connect-error", "not reached"],
    ["rcpt-to-rejected", "refused"],
    ["auth-failed", "refused"],
    ["dsn-perm-fail", "refused"],
    ["connect", ""],
  ])("is known from %s: %s", (name, outcome) => {
    expect(handoverIn(event(name, ', hostname = "mx.tail.test"'), "a.invalid")).toEqual({
      host: "mx.tail.test",
      outcome,
    });
  });

  test("is the recipient's own domain once its MX is looked for", () => {
    expect(handoverIn(event("mx-lookup-failed", ""), "a.invalid")).toEqual({
      host: "a.invalid",
      outcome: "",
    });
  });

  test("is not known before a host is named, nor from another message's lines", () => {
    expect(handoverIn(event("domain-delivery-start", ""), "a.invalid")).toBeUndefined();
    expect(handoverIn(event("connect", ', hostname = "x"', "b.invalid"), "a.invalid")).toBeUndefined();
  });
});

describe("a probe", () => {
  const taken = (domain: string) => event("delivered", ', hostname = "mailbox.tail.test"', domain);

  test.each([
    ["at once", true],
    ["after STARTTLS", false],
  ])(
    "goes in over TLS %s, with no login, no sender, and a recipient that cannot exist",
    async (_, implicit) => {
      const server = submissionServer(implicit);
      await probe(taken, {}, server);
      const hello = ["EHLO tailwart.invalid"];
      expect(server.commands).toEqual([
        ...(implicit ? [] : [...hello, "STARTTLS"]),
        ...hello,
        "MAIL FROM:<>",
        expect.stringMatching(/^RCPT TO:<tailwart-probe@tailwart-[0-9a-f]{16}\.invalid>$/),
        "DATA",
      ]);
      expect(server.messages[0]).toContain("Auto-Submitted: auto-generated\r\n");
      expect(server.messages[0]).not.toContain("admin");
      expect(said).toEqual(['a probe took route "smarthost" (mailbox.tail.test): taken']);
    },
  );

  test.each([
    [
      "the MX of its recipient's domain",
      (domain: string) => event("mx-lookup-failed", "", domain),
      /straight to the MX/,
    ],
    [
      "another port",
      (domain: string) => event("connect-error", ', hostname = "mailbox.tail.test", remotePort = 25', domain),
      /a probe went mailbox\.tail\.test:25/,
    ],
    [
      "a mailbox",
      (domain: string) => event("dsn-perm-fail", ', hostname = "localhost"', domain),
      /into a mailbox of this server/,
    ],
  ])("that went to %s fails, and names the declared route and what to do", async (_, log, went) => {
    const error: unknown = await probe(log, { deadline: 2_000 }).catch((e: unknown) => e);
    expect(String(error)).toMatch(went);
    expect(String(error)).toContain('route "smarthost" (mailbox.tail.test:587)');
    expect(String(error)).toContain("run `pulumi up` again");
  });

  test("that the log does not mention is looked for in the queue, and taken out of it", async () => {
    const discarded: string[] = [];
    await probe(() => "", {
      deadline: 2_000,
      queue: {
        queued: () =>
          Promise.resolve(['{"temp_fail":"Error for mailbox.tail.test: Connection failed: timeout"}']),
        discard: (domain) => Promise.resolve(void discarded.push(domain)),
      },
    });
    expect(said).toEqual(['a probe took route "smarthost" (mailbox.tail.test): not delivered yet']);
    expect(discarded).toHaveLength(1);
  });

  test("that nobody knows anything of proves nothing, and that is said", async () => {
    await probe(() => "", { deadline: 1_000 });
    expect(said[0]).toMatch(/has reached no host within 1 s: .* no probe has proved it/);
  });

  test("that Stalwart refuses proves nothing, and its words are said", async () => {
    const server = submissionServer();
    server.mailAnswer = "501 5.5.4 Invalid parameters";
    await probe(() => "", {}, server);
    expect(said[0]).toMatch(/Stalwart took no probe \(.*501 5\.5\.4 Invalid parameters\)/);
  });

  test("to a port where nothing listens proves nothing, and that is said", async () => {
    await probe(() => "", { submission: { host: "127.0.0.1", port: 1, implicitTls: true } });
    expect(said[0]).toContain("Stalwart took no probe (127.0.0.1:1: Connection refused)");
  });

  test("cannot be sent where no listener speaks SMTP, and that is said", async () => {
    const server = submissionServer();
    await probe(() => "", { submission: undefined }, server);
    expect(server.commands).toEqual([]);
    expect(said[0]).toContain("no listener speaks SMTP");
  });

  test("that cannot be taken out of the queue does not fail the deploy", async () => {
    await probe(taken, {
      queue: { queued: () => Promise.resolve([]), discard: () => Promise.reject(new Error("no answer")) },
    });
    expect(said.at(-1)).toMatch(/may still lie in the queue: no answer/);
  });
});

describe("a deploy to the registry (seen on the fake registry alone)", () => {
  let fake: FakeRegistry;
  let base: string;
  let probes: number;
  beforeEach(async () => {
    fake = new FakeRegistry();
    base = await fake.listen();
    probes = 0;
  });
  afterEach(() => fake.close());

  const objects = (relayPort = 587) =>
    registryObjects({
      listeners: [{ name: "submissions", protocol: "smtp", port: 465, implicitTls: true }],
      relays: [{ name: "smarthost", host: "mailbox.tail.test", port: relayPort, tls: "tailnet" }],
      outbound: { route: "smarthost" },
    });

  /** A probe goes to the host that the test says. */
  function resource(host: string) {
    const submission = submissionServer();
    const listening = submission.listen();
    const pipes = fakeTransport({
      restart: () => {
        fake.restart();
        return Promise.resolve(OK);
      },
      inspect: () =>
        Promise.resolve({
          exists: true,
          running: true,
          log: event("ip-lookup-failed", `, hostname = "${host}"`, submission.recipient.split("@")[1]),
        }),
    });
    const connect: Transport["connect"] = async (to, deadline) => {
      probes++;
      return pipes.connect({ ...to, port: await listening }, deadline);
    };
    return new RegistryResource(() => ({ ...pipes, connect }));
  }
  const state = (port?: number) => ({
    target: { dockerHost: "unix:///none", container: "test", api: base },
    accounts: {},
    objects: objects(port),
  });
  const log = () => undefined;

  test("probes after a change of routes, and not when nothing differs", async () => {
    const mail = resource("mailbox.tail.test");
    const first = await mail.apply(state(), undefined, log);
    expect(probes).toBe(1);
    const second = await mail.apply(state(2525), first, log);
    expect(probes).toBe(2);
    await mail.apply(state(2525), second, log);
    expect(probes).toBe(2);
  });

  test("that was interrupted restarts and probes though nothing differs any more", async () => {
    const mail = resource("mailbox.tail.test");
    await mail.apply(state(), undefined, log);
    const restarts = fake.restarts;
    const done = await mail.apply(state(), { ...state(), interrupted: true }, log);
    expect({ probes, restarts: fake.restarts - restarts }).toEqual({ probes: 2, restarts: 1 });
    expect(done).not.toHaveProperty("interrupted");
  });

  test("fails when the probe took another route", async () => {
    await expect(resource("elsewhere.tail.test").apply(state(), undefined, log)).rejects.toThrow(
      /route "smarthost" \(mailbox\.tail\.test:587\) is stored and loaded, but a probe went elsewhere\.tail\.test/,
    );
  });
});
