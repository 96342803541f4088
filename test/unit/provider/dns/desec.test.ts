// What only deSEC does with records, by a fake of its API.
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Desec } from "../../../../provider/dns/desec.ts";
import { HttpWriter } from "../../../../provider/dns/http-writer.ts";
import { DnsApiServer } from "../../../fakes/dns-api-server.ts";
import { FakeDesec } from "../../../fakes/fake-desec.ts";

const TOKEN = "a-token-for-tests";
const ZONE = "example.org";
let fake: FakeDesec;
let server: DnsApiServer;
let url: string;
beforeEach(async () => {
  fake = new FakeDesec(
    [{ token: TOKEN, writes: true }],
    [ZONE, "sub.example.org", ...Array.from({ length: 600 }, (_, i) => `zone${i}.test`)],
  );
  server = new DnsApiServer((question) => fake.answer(question));
  url = `${await server.start()}/api/v1`;
});
afterEach(() => server.stop());

const writer = () => new HttpWriter(new Desec({ url }, TOKEN));
const patched = (sets: object[], token = TOKEN, zone = ZONE) =>
  fake.answer({
    method: "PATCH",
    url: `/api/v1/domains/${zone}/rrsets/`,
    headers: { authorization: `Token ${token}` },
    body: JSON.stringify(sets),
  });

test("all changes of a zone are one request, with the least TTL that it takes", async () => {
  const add = ["192.0.2.1"];
  await writer().write([
    { key: "a.example.org A", remove: [], add },
    { key: "b.example.org A", remove: [], add },
  ]);
  expect(server.writes()).toHaveLength(1);
  expect(fake.rrsets(ZONE)).toEqual([
    { subname: "a", type: "A", ttl: 3600, records: add },
    { subname: "b", type: "A", ttl: 3600, records: add },
  ]);
});

test("other people's texts beside ours stay as they wrote them, octets that are no text as well", async () => {
  const others = ['"octets \\255\\000"', '"in " "two"'];
  patched([{ subname: "", type: "TXT", ttl: 7200, records: others }]);
  const key = "example.org TXT";
  const [one, two] = ["v=spf1 ip4:192.0.2.1 ~all", "v=spf1 ip4:192.0.2.2 ~all"];
  await writer().write([{ key, remove: [], add: [one] }]);
  await writer().write([{ key, remove: [one], add: [two] }]);
  expect(fake.rrsets(ZONE)).toEqual([
    { subname: "", type: "TXT", ttl: 7200, records: [...others, `"${two}"`] },
  ]);
});

test("a name is written in the nearest of its zones, on whichever page of the account's that is", async () => {
  const add = ["192.0.2.1"];
  await writer().write([
    { key: "a.sub.example.org A", remove: [], add },
    { key: "zone599.test A", remove: [], add },
  ]);
  expect(fake.rrsets("sub.example.org")).toHaveLength(1);
  expect(fake.rrsets(ZONE)).toHaveLength(0);
  expect(fake.rrsets("zone599.test")).toHaveLength(1);
});

test("more requests than deSEC takes in a second wait for the next one", async () => {
  const since = Date.now();
  for (let i = 0; i < 4; i++)
    await writer().write([{ key: `h${i}.example.org A`, remove: [], add: ["192.0.2.1"] }]);
  expect(Date.now() - since).toBeGreaterThan(900);
  expect(fake.rrsets(ZONE)).toHaveLength(4);
});

describe("the fake refuses what the real one does", () => {
  const good = { subname: "a", type: "A", ttl: 3600, records: ["192.0.2.1"] };
  test.each([
    ["an address that is none", { records: ["mail.example.org."] }, /Cannot parse/],
    ["a text without quotes", { type: "TXT", records: ["v=spf1 ~all"] }, /Cannot parse/],
    ["a host without its dot", { type: "MX", records: ["10 mail.example.org"] }, /Cannot parse/],
    ["the same record twice", { records: ["192.0.2.1", "192.0.2.1"] }, /Duplicate/],
    ["a TTL below the domain's", { ttl: 300 }, /greater than or equal to 3600/],
    ["a new set without a TTL", { ttl: undefined }, /required/],
    ["a name in upper case", { subname: "A" }, /lowercase/],
    ["the @ of a zone file", { subname: "@" }, /lowercase/],
    ["a type in lower case", { type: "a" }, /upper case/],
  ])("%s, and stores nothing of the request", (_what, wrong, says) => {
    const { status, json } = patched([good, { ...good, subname: "b", ...wrong }]);
    expect(status).toBe(400);
    expect(json).toMatchObject([{}, expect.anything()]);
    expect(JSON.stringify(json)).toMatch(says);
    expect(fake.rrsets(ZONE)).toEqual([]);
  });

  test("an alias beside others, a token that is none, and a domain that the account has not", () => {
    const alias = { ...good, type: "CNAME", records: ["b.example.org."] };
    expect(patched([good, alias]).status).toBe(400);
    expect(patched([good], "another")).toMatchObject({ status: 401, json: { detail: "Invalid token." } });
    expect(patched([good], TOKEN, "example.com").status).toBe(404);
  });

  test("the third write in a second, and says when there is the next one", () => {
    patched([good]);
    patched([good]);
    expect(patched([good])).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
  });
});
