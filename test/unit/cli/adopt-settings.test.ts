import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";

import { adoptSettings, type Flat, flatten } from "../../../cli/adopt/settings.ts";
import { configSchema } from "../../../config/schema.ts";
import { componentArgs } from "../../../config/component-args.ts";
import { toSettingKeys } from "../../../lib/desired-state/keys/keys.ts";
import { toRegistryObjects } from "../../../lib/desired-state/registry/objects.ts";
import { validConfig } from "../../fixtures/config.ts";

const config = { ...validConfig(), accounts: [] };
const file = (more: object = {}): string => {
  const keys = Object.entries({ ...config, ...more }).map(
    ([key, value]) => [`tailwart:${key}`, value] as const,
  );
  const secret = { secure: "v1:abc" };
  const text = stringify({ config: { ...Object.fromEntries(keys), "tailwart:postgresPassword": secret } });
  return text.replace("  tailwart:relay:", "  # By its MagicDNS name.\n  tailwart:relay:");
};
const image = config.images.stalwart.replace("v0.15.5", "v0.16.18");
const REGISTRY = { images: { ...config.images, stalwart: image } };
const settingsOf = (more: object = {}) => componentArgs(configSchema.parse({ ...config, ...more })).settings;
const keys: Flat = toSettingKeys(settingsOf());
const rowsOf = (more: object): Flat => flatten(toRegistryObjects(settingsOf(more)));
const rows = rowsOf(REGISTRY);

describe.each([
  [
    "0.15",
    {},
    keys,
    {
      host: "queue.route.smarthost.address",
      port: "queue.route.smarthost.port",
      implicit: "queue.route.smarthost.tls.implicit",
      trusting: "queue.route.smarthost.tls.allow-invalid-certs",
      timeout: "queue.connection.default.timeout.connect",
      minute: "60s",
      maxAge: "session.mta-sts.max-age",
      month: "30d",
      stranger: "queue.strategy.route.0009.if",
    },
  ],
  [
    "0.16",
    REGISTRY,
    rows,
    {
      host: "MtaRoute/smarthost.address",
      port: "MtaRoute/smarthost.port",
      implicit: "MtaRoute/smarthost.implicitTls",
      trusting: "MtaRoute/smarthost.allowInvalidCerts",
      timeout: "MtaConnectionStrategy/default.connectTimeout",
      minute: "60000",
      maxAge: "MtaSts.maxAge",
      month: "2592000000",
      stranger: "AllowedIp/192.0.2.1.address",
    },
  ],
] as const)("hand edits of Stalwart %s", (line, more, live, key) => {
  const text = file(more);

  test("are none where the server is as declared, and the file is left as it is", () => {
    expect(adoptSettings(text, live)).toEqual({ text, taken: [], left: [] });
  });

  test("go into the key of the config that they come from, and the file keeps its comments", () => {
    const edited = { ...live, [key.host]: "other.tail7b1641.ts.net", [key.port]: "2587" };
    const { text: after, taken, left } = adoptSettings(text, edited);
    expect(left).toEqual([]);
    expect(taken).toEqual([
      { path: "tailwart:relay.host", from: "mailbox.tail7b1641.ts.net", to: "other.tail7b1641.ts.net" },
      { path: "tailwart:relay.port", from: 587, to: 2587 },
    ]);
    expect(after).toContain("# By its MagicDNS name.");
    expect(parse(after)).toEqual(
      parse(file({ ...more, relay: { host: "other.tail7b1641.ts.net", tls: "tailnet", port: 2587 } })),
    );
    expect(adoptSettings(after, edited)).toEqual({ text: after, taken: [], left: [] });
  });

  test("of the relay's TLS are one mode of three", () => {
    const { taken } = adoptSettings(text, { ...live, [key.implicit]: "true", [key.trusting]: "false" });
    expect(taken).toEqual([{ path: "tailwart:relay.tls", from: "tailnet", to: "implicit" }]);
  });

  test("of times are spelled in the config's own unit, and one that is no whole number of it is left", () => {
    const policy = { settings: { mtaSts: { mode: "testing", maxAge: 7 } } };
    const declared = { ...more, ...policy };
    const server = line === "0.15" ? toSettingKeys(settingsOf(declared)) : rowsOf(declared);
    const edited = { ...server, [key.timeout]: key.minute, [key.maxAge]: key.month };
    const { taken, left } = adoptSettings(file(declared), edited);
    expect(left).toEqual([]);
    expect(taken).toEqual([
      { path: "tailwart:settings.connectTimeout", from: 30, to: 60 },
      { path: "tailwart:settings.mtaSts.maxAge", from: 7, to: 30 },
    ]);
    const half = line === "0.15" ? "500ms" : "500";
    expect(adoptSettings(text, { ...live, [key.timeout]: half })).toMatchObject({
      taken: [],
      left: [key.timeout],
    });
  });

  test("that no key of the config holds are listed, and not claimed as taken", () => {
    const { taken, left } = adoptSettings(text, { ...live, [key.stranger]: "by hand" });
    expect(taken).toEqual([]);
    expect(left).toEqual([key.stranger]);
  });

  test("that the config refuses are refused here too: a relay by its address", () => {
    expect(() => adoptSettings(text, { ...live, [key.host]: "100.101.102.103" })).toThrow(
      /tailwart:relay\.host is a tailnet address.*lesson 6/,
    );
  });
});
