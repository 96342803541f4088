import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";

import { toFileKeys, toSettingKeys } from "../../lib/desired-state/keys/keys.ts";
import type { StalwartSettings, StalwartSettingsInput } from "../../lib/desired-state/schema.ts";
import { StalwartApi } from "../../provider/keys/api.ts";
import { SettingsResource } from "../../provider/keys/resource.ts";
import type { SettingsState } from "../../provider/keys/state.ts";
import { readDeclared } from "./settings-state.ts";
import { Postgres, StalwartServer } from "./stalwart-server.ts";

let postgres: Postgres;
let server: StalwartServer;

const SECRET = "/etc/stalwart/secrets/dns";
const CONSUMER_KEY = "/etc/stalwart/secrets/dns-consumer";

/**
 * Certificates of a CA that nobody is at: what is judged here is whether Stalwart takes the
 * settings.
 */
const withProvider = (dnsProvider: NonNullable<StalwartSettingsInput["dnsProvider"]>): StalwartSettings =>
  server.settings({
    acme: [
      {
        id: "lab",
        directory: "https://127.0.0.1:9/dir",
        contact: ["postmaster@lab.test"],
        challenge: "dns-01",
        names: ["*.lab.test", "mail.lab.test"],
        default: true,
      },
    ],
    dnsProvider,
  });
const rfc2136 = () =>
  withProvider({ type: "rfc2136", host: "127.0.0.1", protocol: "tcp", keyName: "lab.", secretFile: SECRET });

beforeAll(async () => {
  postgres = await Postgres.start();
  server = await StalwartServer.on(postgres);
  server.install(rfc2136());
  writeFileSync(server.path(SECRET), Buffer.from("tsig-key-of-the-lab").toString("base64"));
  writeFileSync(server.path(CONSUMER_KEY), "consumer-key-of-the-lab");
  server.start();
});

afterAll(async () => {
  await server?.stop();
  postgres?.stop();
});

const stateOf = (settings: StalwartSettings): SettingsState => ({
  target: { dockerHost: "unix:///none", container: "test", api: `http://127.0.0.1:${server.ports.http}` },
  settings: toSettingKeys(settings),
  fileSettings: Object.fromEntries(Object.entries(toFileKeys(settings)).map(([k, v]) => [k, server.path(v)])),
  domains: settings.domains.map(({ name }) => name),
  accounts: {},
});

const api = () => new StalwartApi(server.transport(), `http://127.0.0.1:${server.ports.http}`);

async function apply(desired: SettingsState, previous?: SettingsState): Promise<string[]> {
  const transport = server.transport();
  await new SettingsResource(() => transport).apply(desired, previous, () => undefined);
  return transport.requests.filter((request) => !request.startsWith("GET "));
}

test("a real Stalwart takes DNS-01 with every kind of DNS provider, reads back what was declared, and a second apply writes nothing", async () => {
  let previous: SettingsState | undefined;
  for (const settings of [
    rfc2136(),
    withProvider({ type: "cloudflare", email: "dns@lab.test", secretFile: SECRET }),
    withProvider({ type: "digitalocean", secretFile: SECRET }),
    withProvider({ type: "desec", secretFile: SECRET }),
    withProvider({ type: "ovh", applicationKey: "app", secretFile: SECRET, consumerKeyFile: CONSUMER_KEY }),
  ]) {
    server.install(settings);
    const desired = stateOf(settings);
    expect(await apply(desired, previous)).not.toEqual([]);
    expect(await readDeclared(server, desired)).toEqual(desired);
    expect(await apply(desired, desired)).toEqual([]);
    previous = desired;
  }
});

test("it reads the keys that are written: a wrong one is refused by name", async () => {
  server.install(rfc2136());
  const before = stateOf(rfc2136());
  await apply(before);
  for (const [key, value] of [
    ["acme.lab.provider", "route53"],
    ["acme.lab.tsig-algorithm", "none"],
    ["acme.lab.host", "ns.lab.test"],
    ["acme.lab.challenge", "dns01"],
  ] as const) {
    const wrong = { ...before, settings: { ...before.settings, [key]: value } };
    await expect(apply(wrong, before)).rejects.toThrow(key);
  }
  const wildcard = { ...before, settings: { ...before.settings, "acme.lab.challenge": "http-01" } };
  await expect(apply(wildcard, before)).rejects.toThrow(/acme\.lab\.domains: .*DNS-01/);
});

test("the certificate that Stalwart keeps under the client's id stays, and a name added by hand goes", async () => {
  const desired = stateOf(rfc2136());
  const values: [string, string][] = [
    ["acme.lab.cert", "a-certificate"],
    ["acme.lab.domains.0002", "by-hand.lab.test"],
  ];
  await api().writeSettings([{ type: "insert", prefix: null, values, assert_empty: false }]);
  await apply(desired, desired);
  const keys = values.map(([key]) => key);
  expect(await api().readSettings(keys, [])).toEqual({ "acme.lab.cert": "a-certificate" });
});
