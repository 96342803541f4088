/**
 * Settings of Stalwart 0.16 and later through the real Pulumi engine, against the fake of its
 * registry.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { parseSettings } from "../../lib/desired-state/parse.ts";
import { toRegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import type { StalwartSettingsInput } from "../../lib/desired-state/schema.ts";
import type { FakeRegistry } from "../fakes/fake-registry.ts";
import { RegistryProject } from "./registry-project.ts";

let project: RegistryProject;
let fake: FakeRegistry;

beforeAll(async () => {
  project = await RegistryProject.start();
  ({ fake } = project);
});

afterAll(() => project?.remove());

function program(more: Partial<StalwartSettingsInput> = {}, line = "0.16", takeOver?: boolean): void {
  const settings = parseSettings({
    hostname: "mail.lab.test",
    tailnetDomain: "tail.test",
    listeners: [{ name: "smtp", protocol: "smtp", port: 25 }],
    relays: [{ name: "smarthost", host: "mailbox.tail.test", tls: "tailnet" }],
    outbound: { route: "smarthost" },
    postgres: { host: "db.tail.test" },
    domains: [{ name: "lab.test" }],
    ...more,
  });
  project.args({
    deployed: { line, dataStore: "db.tail.test:5432/stalwart" },
    target: { dockerHost: "unix:///none", container: "stalwart", api: project.api },
    objects: toRegistryObjects(settings),
    ...(takeOver !== undefined && { takeOver }),
  });
}

const relayInForce = () => fake.inForce("MtaRoute").find((row) => row["name"] === "smarthost");

describe("tailwart:mail:Registry in the engine", () => {
  test("a server that somebody has set up is left alone, with the list in the up's output and nothing in the state", async () => {
    fake.add("AllowedIp", { address: "203.0.113.9" });
    program();
    const { status, output } = await project.up();
    expect(status).not.toBe(0);
    expect(output).toContain("destroy AllowedIp/203.0.113.9");
    expect(output).toContain("accepts `settings.takeOver: true`");
    expect(output).not.toMatch(/\n\s+at .*\.ts:/);
    expect(fake.requests.filter((request) => request.startsWith("set"))).toEqual([]);
    expect((await project.pulumi("stack", "export", "--stack", "test")).output).not.toContain(
      "tailwart:mail:Registry",
    );
    program({}, "0.16", true);
    const taken = await project.up();
    expect(taken.status, taken.output).toBe(0);
    expect(fake.inForce("AllowedIp").map((row) => row["address"])).not.toContain("203.0.113.9");
  });

  test("once deployed, an up changes nothing, also after a refresh, and whether or not it may take over", async () => {
    expect(relayInForce()).toMatchObject({ address: "mailbox.tail.test" });
    fake.requests.length = 0;
    for (const [takeOver, ...more] of [[true], [false], [true, "--refresh"], [undefined]] as const) {
      program({}, "0.16", takeOver);
      const again = await project.up("--expect-no-changes", ...more);
      expect(again.status, again.output).toBe(0);
    }
    expect(fake.requests.filter((request) => request.startsWith("set"))).toEqual([]);
  });

  test("a preview names each property that changes, with its old and new value, and asks nobody", async () => {
    program({ relays: [{ name: "smarthost", host: "other.tail.test", tls: "tailnet" }] });
    const before = project.dockerLog;
    const { status, output } = await project.preview();
    expect(status, output).toBe(0);
    expect(output).toMatch(/~ address: "mailbox\.tail\.test" => "other\.tail\.test"/);
    expect(output).not.toMatch(/[~+-] port:/);
    expect(project.dockerLog).toBe(before);
  });

  test("a hand edit is shown by a refresh and put back by the next up", async () => {
    program();
    fake.edit("MtaRoute", (row) => row["name"] === "smarthost", { address: "evil.example.org" });
    const seen = await project.pulumi("refresh", "--preview-only", "--diff", "--stack", "test");
    expect(seen.output).toMatch(/address\s*: "mailbox\.tail\.test" => "evil\.example\.org"/);
    expect((await project.up("--refresh")).status).toBe(0);
    expect(relayInForce()).toMatchObject({ address: "mailbox.tail.test" });
  });

  test.runIf(process.env["TAILWART_FULL"])(
    "what the server refuses fails the up with object, property and reason, and without a stack",
    async () => {
      const auth = { username: "u", secretFile: "/etc/stalwart/secrets/gone" };
      program({ relays: [{ name: "smarthost", host: "relay.example.org", tls: "starttls", auth }] });
      const { status, output } = await project.up();
      expect(status).not.toBe(0);
      expect(output).toMatch(/reload \(the old settings stay in force\): validationFailed: MtaRoute/);
      expect(output).not.toMatch(/\n\s+at .*\.ts:/);
      fake.restart();
      expect(relayInForce()).toMatchObject({ address: "mailbox.tail.test" });
    },
  );

  test("a server of another line on the same data store is refused before anything is asked", async () => {
    program({}, "1");
    const before = project.dockerLog;
    for (const run of [await project.preview(), await project.up()]) {
      expect(run.status).not.toBe(0);
      expect(run.output).toContain("goes from Stalwart 0.16 to 1 on the same data store");
    }
    expect(project.dockerLog).toBe(before);
  });

  test.runIf(process.env["TAILWART_FULL"])("destroy takes the rows back and leaves the domain", async () => {
    program();
    expect((await project.up()).status).toBe(0);
    const { status, output } = await project.pulumi("destroy", "--yes", "--skip-preview", "--stack", "test");
    expect(status, output).toBe(0);
    expect(relayInForce()).toBeUndefined();
    expect(fake.inForce("Domain").map((row) => row["name"])).toEqual(["lab.test"]);
  });
});
