/**
 * Wrong settings, each refused before the first request: in the desired state, which the components
 * parse before they register anything, or by the real plugin, for programs that use its resources
 * by themselves. Each refusal names the field, why, and what is accepted instead, and repeats no
 * secret.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Failure } from "../../provider/plugin/served-resource.ts";
import { toFileKeys, toSettingKeys } from "../../lib/desired-state/keys/keys.ts";
import { parseSettings } from "../../lib/desired-state/parse.ts";
import { toRegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import type { StalwartSettingsInput } from "../../lib/desired-state/schema.ts";
import { FakeRegistry } from "../fakes/fake-registry.ts";
import { PluginProcess } from "./plugin-process.ts";

/** Stands wherever a case pastes a secret. */
const SECRET = "opensesame";
const HASH = `$6$saltsalt$${"a".repeat(86)}`;

let plugin: PluginProcess;
let server: FakeRegistry;
let target: Record<string, unknown>;

beforeAll(async () => {
  plugin = await PluginProcess.start();
  server = new FakeRegistry();
  target = { dockerHost: "unix:///none", container: "stalwart", api: await server.listen() };
});

afterAll(async () => {
  await plugin?.stop();
  server?.close();
});

const right: StalwartSettingsInput = {
  hostname: "mail.lab.test",
  tailnetDomain: "tail.test",
  listeners: [{ name: "smtp", protocol: "smtp", port: 25 }],
  relays: [{ name: "smarthost", host: "mailbox.tail.test", tls: "tailnet" }],
  outbound: { route: "smarthost" },
  postgres: { host: "db.tail.test" },
  domains: [{ name: "lab.test" }],
};
const relay = (more: object) => ({ relays: [{ ...right.relays?.[0], ...more }] });
const acme = (more: object) => ({
  acme: [{ id: "le", contact: ["a@lab.test"], challenge: "dns-01", names: ["*.lab.test"], ...more }],
  dnsProvider: { type: "desec", secretFile: "/etc/stalwart/secrets/dns" },
});

const DESIRED: [what: string, change: object, path: string, reason: RegExp, accepts: RegExp][] = [
  [
    "a strategy that names an undeclared route",
    { outbound: { route: "smarthots" } },
    "outbound.route",
    /silently deliver straight to the MX \(lesson 14\)/,
    /accepts mx, smarthost/,
  ],
  [
    "trust that includes loopback",
    { proxyTrustedNetworks: ["127.0.0.0/8"] },
    "proxyTrustedNetworks.0",
    /its own health check/,
    /accepts the proxies' networks/,
  ],
  [
    "trust of everybody",
    { proxyTrustedNetworks: ["0.0.0.0/0"] },
    "proxyTrustedNetworks.0",
    /prefix/,
    /accepts .* from 8 to 32/,
  ],
  [
    "a relay by its IPv6 address",
    relay({ host: "fd7a:115c:a1e0::1" }),
    "relays.0.host",
    /no IPv6 \(lesson 8\)/,
    /accepts a host name/,
  ],
  [
    "a relay by its tailnet address",
    relay({ host: "100.101.102.103" }),
    "relays.0.host",
    /changes when the node registers anew \(lesson 6\)/,
    /accepts its MagicDNS name/,
  ],
  [
    "tailnet trust of a name that is none of the tailnet's",
    relay({ host: "relay.example.org" }),
    "relays.0.tls",
    /unverified/,
    /accepts "implicit" or "starttls"/,
  ],
  [
    "two listeners on one port",
    {
      listeners: [
        { name: "smtp", protocol: "smtp", port: 25 },
        { name: "mx", protocol: "smtp", port: 25 },
      ],
    },
    "listeners.1.port",
    /port 25 is taken by "smtp"/,
    /accepts another one/,
  ],
  [
    "an unknown field",
    { relay: SECRET },
    "settings",
    /there is no field relay;/,
    /accepts those of docs\/settings\.md/,
  ],
  [
    "a password where a file belongs",
    relay({ auth: { username: "u", secretFile: SECRET } }),
    "relays.0.auth.secretFile",
    /path/,
    /accepts a path below \/etc\/stalwart\/secrets\//,
  ],
  [
    "a blank secret file",
    { ...acme({}), dnsProvider: { type: "desec", secretFile: "" } },
    "dnsProvider.secretFile",
    /blank or \*\*\*\* least of all \(lesson 2\)/,
    /accepts the path of a file/,
  ],
  [
    "a masked secret file",
    { ...acme({}), dnsProvider: { type: "desec", secretFile: "****" } },
    "dnsProvider.secretFile",
    /\(lesson 2\)/,
    /accepts the path of a file/,
  ],
  [
    "a wildcard that its challenge cannot prove",
    acme({ challenge: "http-01" }),
    "acme.0.names.0",
    /\(lesson 4\)/,
    /accepts it with dns-01/,
  ],
];

describe("in the desired state", () => {
  test.each(DESIRED)("%s is refused", async (_, change, path, reason, accepts) => {
    const message = await refusal(() => parseSettings({ ...right, ...change } as StalwartSettingsInput));
    expect(message).toContain(`\n  ${path}: `);
    expect(message).toMatch(reason);
    expect(message).toMatch(accepts);
    expectNothingSent(message);
  });

  test.each([
    ["keys", acme({ challenge: "dns-persist-01" }), "settings.acme.0.challenge", /accepts dns-01/],
    [
      "keys",
      { ...acme({}), domains: [{ name: "lab.test", publishRecords: ["dkim"] }] },
      "settings.domains.0.publishRecords",
      /accepts an empty list/,
    ],
    ["keys", { autoBan: { expireAfter: "1d" } }, "settings.autoBan.expireAfter", /leave it out/],
    [
      "registry",
      { accounts: [{ name: "boss", emails: ["admin@lab.test"] }] },
      "settings.accounts.0.emails.0",
      /accepts another/,
    ],
  ])(
    "what the image's generation, %s, does not offer is refused",
    async (generation, change, path, accepts) => {
      const state = parseSettings({ ...right, ...change } as StalwartSettingsInput);
      const message = await refusal(() =>
        generation === "keys" ? [toFileKeys(state), toSettingKeys(state)] : toRegistryObjects(state),
      );
      expect(message).toContain(`${path}: `);
      expect(message).toMatch(accepts);
      expectNothingSent(message);
    },
  );
});

const flat = () => ({ target, settings: toSettingKeys(parseSettings(right)) as Record<string, unknown> });
const rows = () => ({ target, objects: toRegistryObjects(parseSettings(right)) as Record<string, unknown> });
const settings = (more: Record<string, unknown>) => ({
  ...flat(),
  settings: { ...flat().settings, ...more },
});
const objects = (more: Record<string, unknown>) => ({ ...rows(), objects: { ...rows().objects, ...more } });

const INPUTS: [
  type: "Settings" | "Registry",
  what: string,
  () => object,
  property: string,
  says: RegExp[],
][] = [
  [
    "Settings",
    "a strategy that names an undeclared route",
    () => settings({ "queue.strategy.route.0001.else": "'nowhere'" }),
    'settings["queue.strategy.route.0001.else"]',
    [/lesson 14/, /accepts .*'smarthost'/],
  ],
  [
    "Settings",
    "a masked secret",
    () => settings({ "session.test": "****" }),
    'settings["session.test"]',
    [/overwrite the real one/, /accepts .*%\{file:/],
  ],
  [
    "Settings",
    "a secret among what is written to the database",
    () => settings({ "queue.route.smarthost.auth.secret": SECRET }),
    'settings["queue.route.smarthost.auth.secret"]',
    [/secret/, /accepts .*%\{file:/],
  ],
  [
    "Settings",
    "a password where a hash belongs",
    () => ({ ...flat(), accounts: { alice: { emails: ["alice@lab.test"], secret: SECRET } } }),
    'accounts["alice"].secret',
    [/not a password/, /accepts a bcrypt/],
  ],
  [
    "Settings",
    "an account without an address",
    () => ({ ...flat(), accounts: { alice: { emails: [], secret: HASH } } }),
    'accounts["alice"].emails',
    [/at least one/, /accepts/],
  ],
  [
    "Settings",
    "an object of the registry's generation",
    () => settings({ "MtaRoute/smarthost": { name: "smarthost" } }),
    'settings["MtaRoute/smarthost"]',
    [/0\.16 and later/, /accepts keys of the 0\.15 line/],
  ],
  [
    "Settings",
    "a number",
    () => settings({ "queue.route.smarthost.port": 587 }),
    'settings["queue.route.smarthost.port"]',
    [/accepts a text, such as "587"/],
  ],
  [
    "Settings",
    "an unknown property",
    () => ({ ...flat(), acounts: {} }),
    "acounts",
    [/accepts target, settings/],
  ],
  [
    "Settings",
    "a container that reads as an option",
    () => ({ ...flat(), target: { ...target, container: "--privileged" } }),
    "target.container",
    [/accepts a container's name/],
  ],
  [
    "Settings",
    "an API outside the container",
    () => ({ ...flat(), target: { ...target, api: "http://example.org:8080" } }),
    "target.api",
    [/inside the container/, /accepts/],
  ],
  [
    "Registry",
    "a strategy that names an undeclared route",
    () => objects({ MtaOutboundStrategy: { route: { match: {}, else: "'nowhere'" } } }),
    'objects["MtaOutboundStrategy"].route.else',
    [/lesson 14/, /accepts .*'smarthost'/],
  ],
  [
    "Registry",
    "an array where the registry wants a set",
    () => objects({ "NetworkListener/smtp": { name: "smtp", bind: ["0.0.0.0:25"] } }),
    'objects["NetworkListener/smtp"].bind',
    [/is a list/, /accepts a set as \{ "member": true \}/],
  ],
  [
    "Registry",
    "a masked secret",
    () => objects({ "MtaRoute/b": { name: "b", authSecret: { "@type": "File", filePath: "****" } } }),
    'objects["MtaRoute/b"].authSecret.filePath',
    [/overwrite the real one/, /accepts .*"filePath"/],
  ],
  [
    "Registry",
    "a secret itself",
    () => objects({ "MtaRoute/b": { name: "b", authSecret: { "@type": "Value", secret: SECRET } } }),
    'objects["MtaRoute/b"].authSecret',
    [/holds a secret/, /accepts .*"filePath"/],
  ],
  [
    "Registry",
    "keys of the other generation",
    () => objects({ "queue.route.smarthost.port": "587" }),
    'objects["queue.route.smarthost.port"]',
    [/0\.15 line/, /accepts an object of 0\.16/],
  ],
];

describe("by the real plugin", () => {
  test("what the components write is taken, of both generations", async () => {
    expect(await plugin.check("tailwart:mail:Settings", flat())).toEqual([]);
    expect(await plugin.check("tailwart:mail:Registry", rows())).toEqual([]);
  });

  test.each(INPUTS)("%s: %s is refused", async (type, _, inputs, property, says) => {
    const failures = await plugin.check(`tailwart:mail:${type}`, inputs() as Record<string, unknown>);
    expect(failures.map((failure) => failure.property)).toContain(property);
    const { reason } = failures.find((failure) => failure.property === property) as Failure;
    expect(reason.startsWith(`${property} `)).toBe(true);
    for (const part of says) expect(reason).toMatch(part);
    expectNothingSent(JSON.stringify(failures));
  });

  test("a server of 1.x on the data store of 0.16 is refused, and told to take a new one", async () => {
    const before = { line: "0.16", dataStore: "db:5432/mail" };
    const [failure] = await plugin.checkConfig(before, { ...before, line: "1" });
    expect(failure).toMatchObject({ property: "line" });
    expect(failure?.reason).toMatch(/migrate into a new, empty database .* tailwart:postgres\.database/);
    expect(await plugin.checkConfig(before, { line: "1", dataStore: "db:5432/new" })).toEqual([]);
    expectNothingSent(String(failure?.reason));
  });

  test("so is a server on another Docker host, while the state holds the one before", async () => {
    const before = { line: "0.16", dataStore: "db:5432/mail", dockerHost: "ssh://root@old" };
    const [failure] = await plugin.checkConfig(before, { ...before, dockerHost: "ssh://root@new" });
    expect(failure).toMatchObject({ property: "dockerHost" });
    expect(failure?.reason).toMatch(/from ssh:\/\/root@old to ssh:\/\/root@new, .* take it away there first/);
    expect(await plugin.checkConfig({}, before)).toEqual([]);
    expectNothingSent(String(failure?.reason));
  });
});

/** The text of what is thrown; fails when nothing is. */
async function refusal(act: () => unknown): Promise<string> {
  const error: unknown = await Promise.resolve()
    .then(act)
    .then(
      () => undefined,
      (e: unknown) => e,
    );
  expect(error).toMatchObject({ name: "UserError" });
  return String((error as Error).message);
}

/** Neither Docker nor the server has heard of it, and no secret is repeated. */
function expectNothingSent(text: string): void {
  expect(text).not.toContain(SECRET);
  expect(plugin.dockerCalls).toBe("");
  expect({ requests: server.requests, answers: server.answers }).toEqual({ requests: [], answers: 0 });
}
