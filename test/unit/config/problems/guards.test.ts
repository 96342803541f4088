import { describe, expect, test } from "vitest";

import { componentArgs } from "../../../../config/component-args.ts";
import { loadConfig } from "../../../../config/load.ts";
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
  return loadConfig(Object.fromEntries(texts) as Record<string, string>, (key) => SECRET_KEYS.includes(key))
    .config;
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
      /withoutGuards\.99 is not a key that tailwart knows; accepts 1, 3/,
    );
    expect(() => load({ 13: false })).toThrow(/tailwart:withoutGuards/);
    expect(() => load({ 13: "none" })).toThrow(/tailwart:withoutGuards\.13 .*accepts true/s);
    for (const lesson of Object.keys(GUARDS)) expect(() => load({ [lesson]: true })).not.toThrow();
  });

  test("leave no word in a stack that has all of them", () => {
    expect(JSON.stringify(argsWithout({}))).not.toContain("withoutGuards");
  });
});

describe("without its guard", () => {
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

  test("lesson 6: the edge dials an address", () => {
    expect(argsWithout({ 6: "100.64.0.7" }).edge.upstreamHost).toBe("100.64.0.7");
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
