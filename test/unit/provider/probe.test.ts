/** The probe of a route, against logs as Stalwart writes them; a real one is probed in test/engine/settings-route.test.ts. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { runCommand } from "../../../lib/run-command.ts";
import { parseSettings } from "../../../lib/settings/parse.ts";
import { toRegistryObjects } from "../../../lib/settings/registry.ts";
import { handoverIn, type Probing, probeRoute } from "../../../provider/probe.ts";
import { RegistryResource } from "../../../provider/registry/resource.ts";
import type { DeclaredRoute } from "../../../provider/routing.ts";
import type { Transport } from "../../../provider/transport.ts";
import { FakeRegistry } from "../../fakes/fake-registry.ts";

const OK = { status: 0, stdout: "", stderr: "" };
const event = (name: string, rest: string, domain = "a.invalid") =>
  `2026-11-23T07:33:55Z INFO Words (delivery.${name}) queueId = 1, to = ["tailwart-probe@${domain}"], domain = "${domain}"${rest}`;

/** A fake server: takes every probe, and logs what the test says became of it. */
class FakeServer implements Transport {
  readonly name = "container test";
  handedIn: string[][] = [];
  message = "";
  answer = OK;
  readonly #log: (domain: string) => string;

  constructor(log: (domain: string) => string) {
    this.#log = log;
  }

  curl(args: string[], stdin: string | undefined) {
    this.handedIn.push(args);
    this.message = stdin ?? "";
    return Promise.resolve(this.answer);
  }
  restart = () => Promise.resolve(OK);
  inspect() {
    const recipient = this.handedIn[0]?.find((argument) => argument.endsWith(".invalid")) ?? "";
    return Promise.resolve({ exists: true, running: true, log: this.#log(recipient.split("@")[1] ?? "") });
  }
}

const relay: DeclaredRoute = { name: "smarthost", to: "relay", host: "mailbox.tail.test", port: 587 };
const said: string[] = [];
beforeEach(() => void (said.length = 0));

const probe = (server: FakeServer, more: Partial<Probing> = {}) =>
  probeRoute({
    transport: server,
    submission: { address: "127.0.0.1", port: 465, implicitTls: true },
    routes: [relay],
    log: (message) => said.push(message),
    deadline: 400,
    ...more,
  });

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
  test("has no sender, a recipient that cannot exist, and no secret", async () => {
    const server = new FakeServer((domain) => event("delivered", ', hostname = "mailbox.tail.test"', domain));
    await probe(server);
    const [args = []] = server.handedIn;
    expect(args[args.indexOf("--mail-from") + 1]).toBe("");
    expect(args[args.indexOf("--mail-rcpt") + 1]).toMatch(/^tailwart-probe@tailwart-[0-9a-f]{16}\.invalid$/);
    expect(args).toContain("smtps://127.0.0.1:465/tailwart.invalid");
    expect(server.message).toContain("Auto-Submitted: auto-generated\r\n");
    expect(said).toEqual(['a probe took route "smarthost" (mailbox.tail.test): taken']);
  });

  test("demands TLS where it does not come first", async () => {
    const server = new FakeServer(() => "");
    await probe(server, { submission: { address: "127.0.0.1", port: 587, implicitTls: false } });
    expect(server.handedIn[0]).toContain("--ssl-reqd");
    expect(server.handedIn[0]).toContain("smtp://127.0.0.1:587/tailwart.invalid");
  });

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
    const error: unknown = await probe(new FakeServer(log)).catch((e: unknown) => e);
    expect(String(error)).toMatch(went);
    expect(String(error)).toContain('route "smarthost" (mailbox.tail.test:587)');
    expect(String(error)).toContain("run `pulumi up` again");
  });

  test("that the log does not mention is looked for in the queue, and taken out of it", async () => {
    const discarded: string[] = [];
    await probe(new FakeServer(() => ""), {
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
    await probe(new FakeServer(() => ""));
    expect(said[0]).toMatch(/has reached no host within 0\.4 s: .* no probe has proved it/);
  });

  test("that Stalwart refuses proves nothing, and its words are said", async () => {
    const server = new FakeServer(() => "");
    server.answer = { status: 55, stdout: "", stderr: "curl: (55) MAIL failed: 501" };
    await probe(server);
    expect(said[0]).toContain("Stalwart took no probe (curl: (55) MAIL failed: 501)");
  });

  test("cannot be sent where no listener takes a login, and that is said", async () => {
    const server = new FakeServer(() => "");
    await probe(server, { submission: undefined });
    expect(server.handedIn).toEqual([]);
    expect(said[0]).toContain("no listener takes a login");
  });

  test("that cannot be taken out of the queue does not fail the deploy", async () => {
    const server = new FakeServer((domain) => event("delivered", ', hostname = "mailbox.tail.test"', domain));
    await probe(server, {
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
    toRegistryObjects(
      parseSettings({
        hostname: "mail.lab.test",
        tailnetDomain: "tail.test",
        listeners: [{ name: "submissions", protocol: "smtp", port: 465, implicitTls: true }],
        relays: [{ name: "smarthost", host: "mailbox.tail.test", port: relayPort, tls: "tailnet" }],
        outbound: { route: "smarthost" },
        postgres: { host: "db.tail.test" },
      }),
    );

  /** Its SMTP is faked: a probe goes to the host that the test says. */
  function resource(host: string) {
    let domain = "";
    const transport: Transport = {
      name: "container test",
      curl(args, stdin, deadline) {
        if (!args.some((argument) => argument.startsWith("smtps://")))
          return runCommand("curl", ["--user", "admin:x", ...args], { stdin, deadline });
        probes++;
        domain = args.find((argument) => argument.endsWith(".invalid"))?.split("@")[1] ?? "";
        return Promise.resolve(OK);
      },
      restart: () => {
        fake.restart();
        return Promise.resolve(OK);
      },
      inspect: () =>
        Promise.resolve({
          exists: true,
          running: true,
          log: event("ip-lookup-failed", `, hostname = "${host}"`, domain),
        }),
    };
    return new RegistryResource(() => transport);
  }
  const state = (port?: number) => ({
    target: { dockerHost: "unix:///none", container: "test", api: base },
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
