// What the doctor knows of issued certificates, of the fake service over HTTP.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { Certspotter } from "../../../../cli/doctor/certspotter.ts";
import { type Issuance, RationedSearch } from "../../../../lab/fakes/certspotter.ts";
import { send } from "../../../../lab/fakes/serve.ts";

const START = Date.parse("2026-06-15T12:00:00Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let now = START;
let asked: string[] = [];
let issued: Issuance[] = [];
let search = new RationedSearch();
let folder = "";

const server = createServer((request, response) => {
  asked.push(request.url ?? "");
  send(response, search.answer(request.url ?? "", issued));
});
let origin = "";

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), "tailwart-certspotter-"));
});
beforeEach(() => {
  [now, asked, issued] = [START, [], []];
  search = new RationedSearch(() => now / 1000);
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const issue = (...names: string[]) =>
  void issued.push({
    id: String(issued.length + 1),
    tbs_sha256: "",
    cert_sha256: "",
    dns_names: names,
    pubkey_sha256: "",
    issuer: { name: "C=US, O=Let's Encrypt, CN=R11" },
    not_before: new Date(now - HOUR).toISOString(),
    not_after: new Date(now + 90 * DAY).toISOString(),
  });
const made = () => new Certspotter(folder, origin, () => now);

test("it is asked once an hour, over several runs, and then for what is new", async () => {
  issue("a.example.org");
  issue("elsewhere.test");
  expect(await made().issued("example.org")).toEqual({
    issuances: [
      { names: ["a.example.org"], issuer: "C=US, O=Let's Encrypt, CN=R11", from: new Date(now - HOUR) },
    ],
    at: new Date(now),
  });
  // One page, and the empty one behind it.
  expect(asked).toHaveLength(2);
  issue("b.example.org");
  now += HOUR / 2;
  expect((await made().issued("example.org")).issuances).toHaveLength(1);
  expect(asked).toHaveLength(2);
  now += HOUR / 2;
  expect((await made().issued("example.org")).issuances).toHaveLength(2);
  expect(asked.slice(2).map((url) => new URL(url, origin).searchParams.get("after"))).toEqual(["1", "3"]);
});

test("what it said serves for a day when it no longer answers, with its age; then that is told", async () => {
  issue("a.example.org");
  await made().issued("example.org");
  const unreachable = new Certspotter(folder, "http://127.0.0.1:64999", () => now);
  now += 23 * HOUR;
  const found = await unreachable.issued("example.org");
  expect([found.issuances.length, found.at]).toEqual([1, new Date(START)]);
  now += 2 * HOUR;
  await expect(unreachable.issued("example.org")).rejects.toThrow(/for example\.org: .*ECONNREFUSED/);
});

test("one who has asked too often is not asked again before the time that it names, but for an hour", async () => {
  for (let i = 0; i < 10; i++) search.answer("/v1/issuances?domain=a.test&include_subdomains=true", []);
  await expect(made().issued("example.org")).rejects.toThrow(/HTTP 429 the hour's questions are used up/);
  await expect(made().issued("example.org")).rejects.toThrow(/HTTP 429/);
  expect(asked).toHaveLength(1);
  now += HOUR;
  expect((await made().issued("example.org")).issuances).toEqual([]);
});

test("three domains stay below ten questions an hour, and a long list is read on in the next", async () => {
  const some = new Array<string>(350).fill("").map((_, i) => `n${i}.example.org`);
  for (const name of some) issue(name);
  await expect(made().issued("example.org")).rejects.toThrow(/more than 3 pages/);
  await made().issued("b.test");
  await made().issued("c.test");
  expect(asked).toHaveLength(5);
  now += HOUR;
  expect((await made().issued("example.org")).issuances).toHaveLength(350);
});

test("where nothing can be written one that runs on keeps it in mind", async () => {
  issue("a.example.org");
  const running = new Certspotter(join(import.meta.filename, "none"), origin, () => now);
  await running.issued("example.org");
  await running.issued("example.org");
  expect(asked).toHaveLength(2);
});
