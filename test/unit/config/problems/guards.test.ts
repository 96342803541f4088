import { describe, expect, test } from "vitest";

import { componentArgs } from "../../../../config/component-args.ts";
import { loadConfig } from "../../../../config/load.ts";
import { caddyConfig } from "../../../../lib/caddy/config.ts";
import { keysWithoutGuards } from "../../../../lib/desired-state/keys/without-guards.ts";
import { sidecarHealthTest } from "../../../../lib/tailnet/health.ts";
import { entrypointEnvironment, stalwartFiles } from "../../../../lib/stalwart/files.ts";
import { GUARDS, type LeftOut } from "../../../../lib/guards.ts";
import { SECRET_KEYS, SECRETS, validConfig } from "../../../fixtures/config.ts";

const LAB = { mailHost: "mail.lab.test", domains: [{ name: "lab.test" }], accounts: [] };

function load(withoutGuards: unknown, changes: object = LAB) {
  const config = { ...validConfig(), ...changes, withoutGuards };
  const texts = Object.entries({ ...config, ...SECRETS }).map(([key, value]) => [
    `tailwart:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return loadConfig(
    Object.fromEntries(texts) as Record<string, string>,
    (key) => SECRET_KEYS.includes(key) || key === "tailwart:dnsSecret",
  ).config;
}
const argsWithout = (withoutGuards: unknown) => componentArgs(load(withoutGuards));

describe("guards left out", () => {
  test("are refused where a name may be real, in words that say which", () => {
    for (const real of [{ mailHost: "mail.example.org" }, { domains: [{ name: "example.org" }] }])
      expect(() => load({ 13: true }, { ...LAB, ...real })).toThrow(
        /tailwart:withoutGuards leaves guards out, and (mail\.)?example\.org may be real; .* \.test/,
      );
    expect(() => load({}, { mailHost: "mail.example.org" })).not.toThrow();
  });

  test("are those of a lesson that has one, on or in another's place", () => {
    expect(() => load({ 99: true })).toThrow(
      /withoutGuards\.99 is not a key that tailwart knows; accepts 1, 2, 3/,
    );
    expect(() => load({ 13: false })).toThrow(/tailwart:withoutGuards/);
    expect(() => load({ 13: "none" })).toThrow(/tailwart:withoutGuards\.13 .*accepts true/s);
    for (const lesson of Object.keys(GUARDS)) expect(() => load({ [lesson]: true })).not.toThrow();
  });

  test("leave no word in a stack that has all of them", () => {
    expect(JSON.stringify(argsWithout({}))).not.toContain("withoutGuards");
  });
});

const CLIENT = {
  id: "lab",
  directory: "https://ca.lab.test/dir",
  contact: ["postmaster@lab.test"],
  challenge: "dns-01",
  names: ["*.lab.test"],
};

const PROVED = {
  dnsProvider: { type: "rfc2136", host: "192.0.2.53", keyName: "lab" },
  dnsSecret: Buffer.alloc(32, "key").toString("base64"),
};

describe("without its guard", () => {
  test.each([
    [2, { acme: [CLIENT] }, /lesson 2/],
    [4, { acme: [{ ...CLIENT, challenge: "http-01" }] }, /lesson 4/],
    [7, { ...PROVED, acme: [CLIENT, { ...CLIENT, id: "other" }] }, /lesson 7/],
  ])("lesson %i: what the config refuses otherwise is taken", (lesson, changes, refusal) => {
    expect(() => load({}, { ...LAB, ...changes })).toThrow(refusal);
    const config = load({ [lesson]: true }, { ...LAB, ...changes });
    expect(componentArgs(config).settings.acme).toHaveLength(changes.acme.length);
    const another = lesson === 4 ? 2 : 4;
    expect(() => load({ [another]: true }, { ...LAB, ...changes })).toThrow(refusal);
  });

  test("lesson 2: nobody tries the DNS key", () => {
    const dnsKey = (withoutGuards: object) =>
      componentArgs(load(withoutGuards, { ...LAB, ...PROVED, acme: [CLIENT] })).dnsKey;
    expect(dnsKey({})).toMatchObject({ host: "192.0.2.53", names: ["_acme-challenge.lab.test"] });
    expect(dnsKey({ 2: true })).toBeUndefined();
  });

  test("lessons 5 and 15: the edge ends the mail names' TLS, or has two servers on :443", () => {
    const edge = (withoutGuards: object) =>
      JSON.stringify(
        argsWithout(withoutGuards).edges.map(({ caddy }) => caddyConfig(caddy)),
        undefined,
        0,
      );
    const ended = /"handle":\[\{"handler":"tls"\},\{"handler":"proxy"/;
    const second = /"layer4":\{"servers":\{.*"https":\{"listen":\[":443"\]/;
    expect(edge({})).not.toMatch(ended);
    expect(edge({})).not.toMatch(second);
    expect(edge({ 5: true })).toMatch(ended);
    expect(edge({ 15: true })).toMatch(second);
  });

  test("lessons 8 and 11: a deploy does not end with a dial of the relay", () => {
    const dials = [{}, { 8: true }, { 11: "none" }].map((guards) => argsWithout(guards).dialsRelay);
    expect(dials).toEqual([true, false, false]);
  });

  test("lessons 9, 10 and 14: mail goes to the MX, or by a route that nobody knows", () => {
    const route = (withoutGuards: object) => argsWithout(withoutGuards).settings.outbound.route;
    expect([{}, { 9: true }, { 10: true }, { 14: "relay-2" }].map(route)).toEqual([
      "smarthost",
      "mx",
      "mx",
      "relay-2",
    ]);
    expect(keysWithoutGuards({ 9: true })).toMatchObject({ "queue.route.mx.ip-lookup": "ipv6_then_ipv4" });
    expect(keysWithoutGuards({ 10: true })).toEqual({});
  });

  test("lesson 1: neither the sidecar's health nor the entrypoint asks Postgres", () => {
    const { settings, sidecar } = argsWithout({ 1: true });
    expect(sidecar.withoutGuards).toEqual({ 1: true });
    expect(sidecarHealthTest("db", 5432).join()).toContain("nc -z");
    expect(sidecarHealthTest("db", 5432, false).join()).toMatch(/healthz(?!.*nc -z)/);
    const scriptOf = (...more: [LeftOut?]) =>
      stalwartFiles(settings, "keys", ...more).find(({ path }) => path.endsWith("/entrypoint.sh"))?.content;
    expect(scriptOf()).toContain("while :; do\n  gate\n  until_applied || continue\n  start\n");
    expect(scriptOf({ 1: true })).toContain("while :; do\n  start\n");
  });

  test("lesson 3: nobody is exempt from bans but whom the config names", () => {
    expect(argsWithout({}).settings.allowedIps).toContain("100.64.0.0/10");
    expect(argsWithout({ 3: true }).settings.allowedIps).toEqual([]);
  });

  test("lesson 19: an ed25519 key signs alone", () => {
    const selectors = [{ name: "ed", use: "sign", algorithm: "ed25519" }];
    const changes = { ...LAB, dkim: { selectors } };
    expect(() => load({}, changes)).toThrow(/lesson 19/);
    expect(() => load({ 18: true }, changes)).toThrow(/lesson 19/);
    expect(componentArgs(load({ 19: true }, changes)).settings.dkim).toMatchObject([
      { selector: "ed", use: "sign", algorithm: "ed25519" },
    ]);
  });

  test("lesson 6: the edge dials an address", () => {
    expect(argsWithout({ 6: "100.64.0.7" }).edges[0]?.caddy.upstreamHost).toBe("100.64.0.7");
  });

  test("lesson 11: the relay's grant is turned around, or there is none", () => {
    const relay = (instead: unknown) =>
      argsWithout({ 11: instead })
        .policy.flows.filter(({ port }) => port === 587)
        .map(({ from, to }) => `${from} ${to}`)
        .filter((flow) => flow.includes("tag:mail"));
    expect(relay(true)).toEqual(["tag:mail tag:stalwart"]);
    expect(relay("opposite")).toEqual(["tag:mail tag:stalwart"]);
    expect(relay("none")).toEqual([]);
  });

  test("lesson 13: who has lost its namespace stays", () => {
    const { settings } = argsWithout({});
    expect(entrypointEnvironment(settings)).not.toHaveProperty("TAILWART_DEVICE");
    expect(entrypointEnvironment(settings, { withoutGuards: { 13: true } })["TAILWART_DEVICE"]).toBe("lo");
  });

  test("lesson 16: nobody watches", () => {
    expect(argsWithout({}).stalwart.watch).toBe(true);
    expect(argsWithout({ 16: true }).stalwart.watch).toBe(false);
  });
});
