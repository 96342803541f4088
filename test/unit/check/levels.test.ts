import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { check } from "../../../policies/check/command.ts";
import { checkFolder, folderOf } from "./folder.ts";

const COMPOSE = "services:\n  db:\n    image: db\n    environment: [A=100.101.102.103]\n";
const write = ["--baseline", "known.json", "--write-baseline"];

test("the level that a policy config gives to all holds for each that it does not name", async () => {
  const folder = folderOf({
    "compose.yml": COMPOSE,
    "all.json": '{"all": "advisory", "no-hardcoded-tailnet-ip": {"enforcementLevel": "mandatory"}}',
    "off.json": '{"all": "disabled"}',
  });
  const { findings } = await checkFolder(folder, "--policy-config", "all.json", "compose.yml");
  const errors = findings.filter(({ level }) => level === "error").map(({ policy }) => policy);
  expect(errors).toEqual(["no-hardcoded-tailnet-ip"]);
  expect((await checkFolder(folder, "--policy-config", "off.json", "compose.yml")).findings).toEqual([]);
});

test("what a baseline knows as a warning covers no error", async () => {
  const folder = folderOf({ "compose.yml": COMPOSE, "x.json": '{"no-hardcoded-tailnet-ip": "advisory"}' });
  await check([...write, "--policy-config", "x.json", "compose.yml"], folder, "1");
  const { exitCode } = await checkFolder(folder, "--baseline", "known.json", "compose.yml");
  expect(exitCode).toBe(1);
});

test("what is excepted, and an exception that has ended, is never written as known", async () => {
  const exception = (expires: string) =>
    `{"exceptions": [{"policy": "no-hardcoded-tailnet-ip", "urn": "*::docker:index/container:Container::db", "where": "*", "reason": "the node stays as it is", "expires": "${expires}"}]}`;
  const folder = folderOf({ "compose.yml": COMPOSE, "policy-exceptions.jsonc": exception("2999-01-01") });
  await check([...write, "compose.yml"], folder, "1");
  writeFileSync(join(folder, "policy-exceptions.jsonc"), exception("2020-01-01"));
  expect((await checkFolder(folder, "--baseline", "known.json", "compose.yml")).exitCode).toBe(1);
  await check([...write, "compose.yml"], folder, "1");
  expect((await checkFolder(folder, "--baseline", "known.json", "compose.yml")).exitCode).toBe(1);
});

test("an advice of a policy that fails others is a warning", async () => {
  const key = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
  const content = `v=DKIM1; p=${key.export({ format: "der", type: "spki" }).toString("base64")}`;
  const type = "cloudflare:index/dnsRecord:DnsRecord";
  const record = (name: string, more: object) => ({
    urn: `urn:pulumi:prod::shop::${type}::${name}`,
    custom: true,
    type,
    inputs: { zoneId: "z", type: "TXT", name: `${name}._domainkey`, ...more },
    outputs: {},
  });
  const resources = [record("s1", { content }), record("s2", { content: "v=DKIM1" })];
  const folder = folderOf({
    "prod.json": JSON.stringify({ version: 3, deployment: { manifest: {}, resources } }),
  });
  const { findings, exitCode } = await checkFolder(folder, "prod.json");
  expect(findings.map(({ level, what }) => `${level}: ${what}`).toSorted()).toEqual([
    "error: has no p=, the public key",
    "warning: is an RSA key of 1024 bits; 2048 are what signers should use (RFC 8301)",
  ]);
  expect(exitCode).toBe(1);
});
