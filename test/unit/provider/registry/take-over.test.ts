/**
 * The first deploy to a server of 0.16 and later that somebody else has set up, against the fake of
 * its registry.
 */
import { describe, expect, test } from "vitest";

import { UserError } from "../../../../lib/errors.ts";
import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";
import { CLAIM, CLAIM_ROW, MARKER } from "../../../../provider/registry/plan.ts";
import type { RegistryState } from "../../../../provider/registry/state.ts";
import { freshRegistry } from "./fresh-registry.ts";
import { registryObjects, VIA_SMARTHOST } from "./objects.ts";

const hash = (letter: string) => `$2b$12$${letter.repeat(53)}`;

const at = freshRegistry();

const resource = () => at.resource(600);
const state = (
  more: Partial<StalwartSettingsInput> = {},
  rest: Partial<RegistryState> = {},
): RegistryState => ({
  target: { dockerHost: "unix:///none", container: "test", api: at.base },
  accounts: { alice: { emails: ["alice@lab.test", "post@lab.test"], secret: hash("a") } },
  admin: { name: "admin", secret: hash("n") },
  objects: registryObjects({
    ...VIA_SMARTHOST,
    // No probe of a route is handed in without a listener that speaks SMTP.
    listeners: [{ name: "imaps", protocol: "imap", port: 993, implicitTls: true }],
    ...more,
  }),
  ...rest,
});
const up = (desired: RegistryState, previous?: RegistryState) =>
  resource().apply(desired, previous, () => undefined);
const failed = (apply: Promise<unknown>): Promise<unknown> =>
  apply.then(
    () => undefined,
    (error: unknown) => error,
  );
const sets = () => at.fake.requests.filter((request) => request.startsWith("set "));
const keyed = (object: string, label = "name") => at.fake.inForce(object).map((row) => row[label]);
const domainId = (name: string) => at.fake.inForce("Domain").find((row) => row["name"] === name)?.["id"];

/**
 * As somebody has set it up: two domains with keys of their own, people, open ports, an allowed
 * address, a route.
 */
function setUp(): void {
  const dkimManagement = { "@type": "Automatic", algorithms: { Dkim1Ed25519Sha256: true } };
  const manual = { certificateManagement: { "@type": "Manual" }, dnsManagement: { "@type": "Manual" } };
  for (const name of ["lab.test", "other.test"]) at.fake.add("Domain", { name, ...manual, dkimManagement });
  const settings = { defaultHostname: "old.lab.test", defaultDomainId: domainId("other.test") };
  at.fake.edit("SystemSettings", () => true, settings);
  const open = { protocol: "imap", useTls: true, tlsImplicit: true, overrideProxyTrustedNetworks: {} };
  for (const [name, port] of Object.entries({ imaps: 993, legacy: 1143 }))
    at.fake.add("NetworkListener", { ...open, name, bind: { [`[::]:${port}`]: true } });
  at.fake.add("AllowedIp", { address: "203.0.113.9" });
  const authSecret = { "@type": "Value", secret: "opensesame" };
  const route = { port: 25, protocol: "smtp", implicitTls: false, allowInvalidCerts: false, authSecret };
  at.fake.add("MtaRoute", { "@type": "Relay", name: "smarthost", address: "relay.old.test", ...route });
  const credentials = { 0: { "@type": "Password", secret: hash("o") } };
  const user = { "@type": "User", domainId: domainId("lab.test"), credentials, aliases: {} };
  at.fake.add("Account", { ...user, name: "alice", roles: { "@type": "User" } });
  at.fake.add("Account", { ...user, name: "admin", roles: { "@type": "Admin" } });
  at.fake.add("Account", {
    ...user,
    name: "bob",
    roles: { "@type": "User" },
    domainId: domainId("other.test"),
  });
}

describe("a server that somebody has set up", () => {
  test("is not written to: all that would change or go is listed, and no value", async () => {
    setUp();
    const error = await failed(up(state()));
    expect(error).toBeInstanceOf(UserError);
    expect(sets()).toEqual([]);
    const lines = String(error).split("\n  ");
    expect(lines[0]).toMatch(
      /^UserError: container test holds settings that are not tailwart's; nothing was written/,
    );
    expect(lines).toEqual(
      expect.arrayContaining([
        "destroy NetworkListener/legacy",
        "destroy AllowedIp/203.0.113.9",
        "change NetworkListener/imaps: bind, overrideProxyTrustedNetworks",
        expect.stringMatching(/^change MtaRoute\/smarthost: address, .*authSecret/),
        expect.stringMatching(/^change MtaOutboundStrategy: route/),
        "change Domain/lab.test: dkimManagement",
        expect.stringMatching(/^change SystemSettings: defaultHostname, defaultDomainId/),
        "change Account/admin: credentials",
        "change Account/alice: aliases",
      ]),
    );
    expect(lines.at(-1)).toMatch(
      /accepts `settings\.takeOver: true`.*or take what is to stay into the config/,
    );
    for (const value of ["opensesame", "relay.old.test", "mailbox.tail.test", "old.lab.test", hash("o")])
      expect(String(error)).not.toContain(value);
    expect(String(error)).not.toMatch(/other\.test|bob/);
  });

  test("with more than twenty of these names twenty, and how many more there are", async () => {
    setUp();
    for (let i = 0; i < 30; i++) at.fake.add("AllowedIp", { address: `198.51.100.${i}` });
    const said = String(await failed(up(state())));
    expect(said.match(/^ {2}(destroy|change) /gm)).toHaveLength(20);
    const more = Number(/… and (\d+) more/.exec(said)?.[1]);
    expect(more).toBeGreaterThan(12);
  });

  test("is as declared after a deploy that may take it over; domains, people and passwords stay", async () => {
    setUp();
    const desired = state({}, { takeOver: true });
    const left = await up(desired);
    expect(await resource().read(left)).toEqual({ ...left, takeOver: undefined });
    expect(keyed("NetworkListener")).toEqual(["imaps"]);
    expect(keyed("AllowedIp", "address")).not.toContain("203.0.113.9");
    expect(keyed("Domain")).toEqual(["lab.test", "other.test"]);
    const people = at.fake.inForce("Account");
    expect(people.map((row) => row["name"])).toEqual(["alice", "admin", "bob"]);
    const secret = (name: string) =>
      JSON.stringify(people.find((row) => row["name"] === name)?.["credentials"]);
    expect(secret("alice")).toContain(hash("o"));
    expect(secret("bob")).toContain(hash("o"));
    expect(secret("admin")).toContain(hash("n"));
    at.fake.requests.length = 0;
    await up({ ...desired, takeOver: false }, left);
    expect(sets()).toEqual(["set Action"]);
  });

  test("that refuses such a deploy is left as it was, and asks the next one again", async () => {
    setUp();
    at.fake.edit("MtaRoute", (row) => row["name"] === "smarthost", { authSecret: { "@type": "None" } });
    const wrong = state({}, { takeOver: true });
    wrong.objects["Security"] = { fail2ban: true };
    expect(String(await failed(up(wrong)))).toMatch(/Security: invalidProperties: fail2ban/);
    expect(keyed("MtaConnectionStrategy")).toEqual([]);
    expect(String(await failed(up(state())))).toContain("destroy NetworkListener/legacy");
  });

  test("is taken for nobody's by a stack that was deployed to another data store", async () => {
    const first = state();
    const left = await up(first);
    await at.renew();
    setUp();
    const moved = { ...first, target: { ...first.target, api: at.base } };
    expect(String(await failed(up(moved, { ...left, target: moved.target })))).toContain(
      "nothing was written",
    );
    expect(sets()).toEqual([]);
    await up(moved, { ...left, target: moved.target, interrupted: true });
  });
});

describe("nobody is asked", () => {
  test("on a server that has only started, in recovery mode or in full", async () => {
    await up(state());
    await at.renew();
    for (const [name, port] of Object.entries({ imaps: 993, https: 443, http: 8080 }))
      at.fake.add("NetworkListener", {
        name,
        bind: { [`[::]:${port}`]: true },
        protocol: "http",
        useTls: true,
      });
    for (const name of ["invalid-tls", "default"])
      at.fake.add("MtaTlsStrategy", { name, startTls: "optional" });
    at.fake.add("MtaConnectionStrategy", { name: "default", connectTimeout: 300_000 });
    at.fake.edit("Asn", () => true, { "@type": "Resource" });
    await up(state());
    expect(keyed("NetworkListener")).toEqual(["imaps"]);
  });

  test("by a second deploy, whatever was edited since", async () => {
    const left = await up(state());
    at.fake.add("AllowedIp", { address: "203.0.113.9" });
    at.fake.edit("Domain", () => true, { dkimManagement: { "@type": "Automatic" } });
    await up(state(), left);
    expect(keyed("AllowedIp", "address")).not.toContain("203.0.113.9");
    at.fake.add("AllowedIp", { address: "203.0.113.9" });
    // A stack whose state is lost.
    await up(state());
    expect(keyed("AllowedIp", "address")).not.toContain("203.0.113.9");
  });

  test("where the settings were taken back before, and other ones are declared", async () => {
    const left = await up(state());
    await resource().delete(left, () => undefined);
    const strategies = () => at.fake.inForce("MtaConnectionStrategy").map((row) => row["name"]);
    expect(strategies()).toEqual([CLAIM_ROW.name, "default"]);
    await up(state({ autoBan: { auth: "50/1h" }, hostname: "mx.lab.test" }));
    expect(strategies()).toContain("tailwart-applied");
  });

  test("after a deploy of a tailwart that left no claim, once it is destroyed by this one", async () => {
    const left = await up(state());
    at.fake.edit("MtaConnectionStrategy", (row) => row["name"] === CLAIM_ROW.name, undefined);
    await resource().delete(left, () => undefined);
    await up(state({ hostname: "mx.lab.test" }));
  });

  test("after a first deploy that was cut off after any request, also where the config was mended since", async () => {
    let cut: unknown = "none yet";
    let k = 0;
    for (; cut !== undefined; k++) {
      await at.renew();
      at.fake.answersLeft = k;
      cut = await failed(up(state()));
      at.fake.answersLeft = Number.POSITIVE_INFINITY;
      const relays = [{ name: "smarthost", host: "other.tail.test", tls: "tailnet" as const }];
      const mended = state({ relays, hostname: "mx.lab.test", autoBan: { auth: "50/1h" } });
      const left = await up(mended);
      expect(await resource().read(left), `cut off after ${k}`).toEqual(left);
    }
    expect(k).toBeGreaterThan(20);
  }, 120_000);
});

test("the claim is the first write and the marker the last, and the claim stays", async () => {
  await up(state());
  expect(sets()[0]).toBe("set MtaConnectionStrategy");
  expect(keyed("MtaConnectionStrategy")).toEqual(
    [CLAIM, "MtaConnectionStrategy/default", MARKER].map((key) => key.split("/")[1]),
  );
});

test("the input is true or false, and false unless it is said", () => {
  const { check, withDefaults } = resource();
  const inputs = { target: { dockerHost: "ssh://root@kvm", container: "c" }, objects: state().objects };
  expect(withDefaults(inputs)["takeOver"]).toBe(false);
  expect(check(withDefaults({ ...inputs, takeOver: true }))).toEqual([]);
  expect(check(withDefaults({ ...inputs, takeOver: "yes" }))).toEqual([
    { property: "takeOver", reason: "accepts true or false" },
  ]);
});
