import { Resolver } from "node:dns/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { expect, test, vi } from "vitest";

import { startDnsServer } from "../../policy/dns-server.ts";
import { checkFolder, folderOf, placesOf } from "./folder.ts";

/** The stack as the outages' author had it. */
const LESSONS = join(import.meta.dirname, "../../fixtures/check/lessons");

test("a compose file as it was when the outages came gives lessons 1, 6, 8, 11 and 13", async () => {
  const { findings, exitCode } = await checkFolder(LESSONS);
  const of = (lesson: number) =>
    findings
      .filter((one) => one.lesson === lesson)
      .map(({ file, line, where }) => `${file}:${line} ${where}`);
  expect(exitCode).toBe(1);
  expect(of(1)).toEqual(["docker-compose.yml:18 services.ts-stalwart.healthcheck.test"]);
  expect(of(6)).toEqual(["caddy/Caddyfile:8 "]);
  expect(of(8)).toEqual(["stalwart/relay.env:3 SMARTHOST_FALLBACK"]);
  expect(of(11)).toEqual(["stalwart/config.toml:10 store.pg.host", "stalwart/relay.env:2 SMARTHOST"]);
  expect(findings.filter(({ policy }) => policy === "secrets-not-in-plain-sight")).toEqual([]);
  expect(of(13)).toContain("docker-compose.yml:24 services.stalwart.network_mode");
});

test("its relay by a public name is not judged, lesson 8, until a resolver is named", async () => {
  const { notJudged } = await checkFolder(LESSONS);
  expect(notJudged).toContainEqual(
    expect.objectContaining({
      file: "stalwart/config.toml",
      line: 27,
      policies: [{ id: "relay-target-ipv4-only", lesson: 8 }],
    }),
  );
});

test("its relay by a public name is refused where the resolver that is named has an AAAA record", async () => {
  const address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x25];
  const dns = await startDnsServer({ "smtp.provider.example": { aaaa: address } });
  const config = folderOf({
    "policies.json": JSON.stringify({ "relay-target-ipv4-only": { resolver: dns.address } }),
  });
  const result = await checkFolder(LESSONS, "--policy-config", join(config, "policies.json"));
  dns.close();
  expect(placesOf(result, "relay-target-ipv4-only")).toContain("stalwart/config.toml:27");
});

test("no question leaves the machine unless a resolver is named", async () => {
  const asked = vi.spyOn(Resolver.prototype, "resolve6");
  const connected = vi.spyOn(Socket.prototype, "connect");
  await checkFolder(LESSONS);
  expect(asked).not.toHaveBeenCalled();
  expect(connected).not.toHaveBeenCalled();
});
