import { expect, test } from "vitest";

import { configSchema } from "../../../config/schema.ts";
import { writtenRecords } from "../../../config/written-records.ts";
import { validConfig } from "../../fixtures/config.ts";

const written = (dnsProvider: object, dns: object = { write: true }) =>
  writtenRecords(configSchema.parse({ ...validConfig(), dnsProvider, dns }));

test("records are written where the DNS provider is, by its key and without a secret", () => {
  expect(written({ type: "rfc2136", host: "192.0.2.53", keyName: "tw" })?.writer).toEqual({
    ...{ type: "rfc2136", host: "192.0.2.53", port: 53, keyName: "tw", algorithm: "hmac-sha256" },
  });
  expect(written({ type: "spaceship", apiKey: "key" })?.writer).toEqual({ type: "spaceship", apiKey: "key" });
});

test("none is written unless told, nor at a provider that is not written to", () => {
  expect(written({ type: "spaceship", apiKey: "key" }, {})).toBeUndefined();
  expect(written({ type: "digitalocean" })).toBeUndefined();
});

test("Spaceship is given no SRV record that says not offered, which it cannot hold, and all else", () => {
  const all = written({ type: "rfc2136", host: "192.0.2.53", keyName: "tw" })?.records ?? {};
  const held = written({ type: "spaceship", apiKey: "key" })?.records ?? {};
  const missing = Object.entries(all).filter(([key]) => !(key in held));
  expect(missing.length).toBeGreaterThan(0);
  for (const [, values] of missing) expect(values).toEqual(["0 0 0 ."]);
  expect(Object.values(held).flat()).not.toContain("0 0 0 .");
});
