// What only Cloudflare does with records, by a fake of its API.
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Cloudflare } from "../../../../provider/dns/cloudflare.ts";
import { HttpWriter } from "../../../../provider/dns/http-writer.ts";
import { DnsApiServer } from "../../../fakes/dns-api-server.ts";
import { type CloudflareZone, FakeCloudflare } from "../../../fakes/fake-cloudflare.ts";

const TOKEN = "a-token-for-tests";
const HOST = "mail.example.org A";
let fake: FakeCloudflare;
let server: DnsApiServer;
let url: string;
beforeEach(async () => {
  fake = new FakeCloudflare(
    [{ token: TOKEN, permissions: ["Zone Read", "DNS Read", "DNS Write"] }],
    ["example.org", "sub.example.org", ...Array.from({ length: 60 }, (_, i) => `zone${i}.test`)],
  );
  server = new DnsApiServer((question) => fake.answer(question));
  url = `${await server.start()}/client/v4`;
});
afterEach(() => server.stop());

const writer = (secret = TOKEN) => new HttpWriter(new Cloudflare({ url }, secret));
/** As somebody does by hand. */
const asked = (path: string, body: object, token = TOKEN) => {
  const headers = { authorization: `Bearer ${token}` };
  return fake.answer({ method: "POST", url: `/client/v4/zones${path}`, headers, body: JSON.stringify(body) });
};
const ZONE = `/${Buffer.from("example.org").toString("hex").padEnd(32, "0")}/dns_records`;

test("an address behind Cloudflare's proxy is not the one that was declared, and is taken out from there", async () => {
  asked(ZONE, { type: "A", name: "mail.example.org", content: "198.51.100.7", proxied: true });
  const seen = { [HOST]: ["198.51.100.7 (proxied)"] };
  expect(await writer().read([HOST])).toEqual(seen);
  await writer().write([{ key: HOST, remove: seen[HOST] ?? [], add: ["198.51.100.7"] }]);
  expect(await writer().read([HOST])).toEqual({ [HOST]: ["198.51.100.7"] });
  expect(fake.shown("example.org")).toMatchObject([{ proxied: false, ttl: 300 }]);
});

test("a text is read as it is, with and without quotes, in one string and in several", async () => {
  const long = `v=DKIM1; k=rsa; p=${"M".repeat(392)}`;
  const key = "a._domainkey.example.org TXT";
  asked(ZONE, { type: "TXT", name: "old.example.org", content: "no quotes" });
  asked(ZONE, { type: "TXT", name: "esc.example.org", content: '"a \\"b\\" \\\\ \\195\\164"' });
  await writer().write([{ key, remove: [], add: [long] }]);
  expect(fake.shown("example.org")[2]?.content).toBe(`"${long.slice(0, 255)}" "${long.slice(255)}"`);
  expect(await writer().read([key, "old.example.org TXT", "esc.example.org TXT"])).toEqual({
    [key]: [long],
    "old.example.org TXT": ["no quotes"],
    "esc.example.org TXT": ['a "b" \\ ä'],
  });
});

test("a name is written in the nearest of its zones, on whichever page of the account's that is", async () => {
  const add = ["192.0.2.1"];
  await writer().write([
    { key: "a.sub.example.org A", remove: [], add },
    { key: "zone59.test A", remove: [], add },
  ]);
  expect(fake.shown("sub.example.org")).toHaveLength(1);
  expect(fake.shown("example.org")).toHaveLength(0);
  expect(fake.shown("zone59.test")).toHaveLength(1);
});

describe("a name that several zones have", () => {
  const [one, two] = ["1".repeat(32), "2".repeat(32)];
  const among = (first: CloudflareZone["status"], second: CloudflareZone["status"]) =>
    (fake = new FakeCloudflare(
      [{ token: TOKEN, permissions: ["Zone Read", "DNS Read", "DNS Write"] }],
      [
        { id: one, name: "example.org", status: first },
        { id: two, name: "example.org", status: second },
        "example.net",
      ],
    ));
  const change = { key: HOST, remove: [], add: ["192.0.2.1"] };

  test.each([
    ["active", "moved", one],
    ["pending", "active", two],
  ] as const)("of which one is %s and one %s is written where it is active", async (first, second, id) => {
    among(first, second);
    await writer().write([change]);
    expect(fake.shown("example.org", id)).toHaveLength(1);
    expect(await writer().read([HOST])).toEqual({ [HOST]: ["192.0.2.1"] });
  });

  test.each([
    ["active", "active"],
    ["pending", "moved"],
  ] as const)("%s and %s is refused with both, before other zones are written", async (first, second) => {
    among(first, second);
    const said = await writer()
      .write([{ key: "a.example.net A", remove: [], add: ["192.0.2.1"] }, change])
      .catch(String);
    expect(said).toContain(`${one} (${first}), ${two} (${second})`);
    expect(said).toContain("Give a token for that zone alone");
    expect(server.writes()).toEqual([]);
    await expect(writer().read(["a.example.net A"])).resolves.toBeDefined();
  });
});

test("more changes than a batch holds are several, and no set is in two", async () => {
  const changes = Array.from({ length: 150 }, (_, i) => ({
    key: `h${i}.example.org A`,
    remove: [],
    add: ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
  }));
  await writer().write(changes);
  expect(server.writes()).toHaveLength(3);
  expect(fake.shown("example.org")).toHaveLength(450);
});

test("the account of a global key is sent with it, in the place of a token", async () => {
  const seen: unknown[] = [];
  const other = new DnsApiServer(({ headers }) => {
    seen.push([headers["x-auth-email"], headers["x-auth-key"], headers["authorization"]]);
    return { status: 200, json: { result: [], result_info: { total_count: 0 } } };
  });
  const at = { email: "dns@example.org", url: await other.start() };
  await expect(new HttpWriter(new Cloudflare(at, "global")).read([HOST])).rejects.toThrow(/no zone for mail/);
  expect(seen).toEqual([["dns@example.org", "global", undefined]]);
  other.stop();
});

test("what is no token is refused as a key that is refused, with what to do", async () => {
  const said = await writer("no token").read([HOST]).catch(String);
  expect(said).toMatch(/HTTP 400: .*6003/);
  expect(said).toContain("pulumi config set --secret tailwart:dnsSecret");
});

describe("the fake refuses what the real one does", () => {
  const A = { type: "A", name: "a.example.org", content: "192.0.2.1" };
  test.each([
    ["an identical record", [A, A], /81058/],
    ["an address that is none", [{ ...A, content: "mail.example.org" }], /9005/],
    ["an MX record without a priority", [{ ...A, type: "MX", content: "m.example.org" }], /9100/],
    ["an SRV record without its parts", [{ ...A, type: "SRV", content: "0 1 993 m.example.org" }], /9101/],
    ["a name of another zone", [{ ...A, name: "a.example.com" }], /9000/],
    ["a TTL of a second", [{ ...A, ttl: 1.5 }], /9021/],
    ["a record beside an alias", [{ ...A, type: "CNAME" }, A], /81054/],
  ])("%s, and stores nothing of its batch", (_what, posts, says) => {
    const { status, json } = asked(`${ZONE}/batch`, { posts });
    expect(status).toBe(400);
    expect(JSON.stringify(json)).toMatch(says);
    expect(fake.shown("example.org")).toEqual([]);
  });

  test("a record that is not there, a batch of more than 200, and a token that is none", () => {
    expect(asked(`${ZONE}/batch`, { deletes: [{ id: "0" }] }).json).toMatchObject({
      errors: [{ code: 81044 }],
    });
    const posts = Array.from({ length: 201 }, (_, i) => ({ ...A, name: `h${i}.example.org` }));
    expect(asked(`${ZONE}/batch`, { posts }).status).toBe(400);
    expect(asked(ZONE, A, "another").json).toMatchObject({ success: false, errors: [{ code: 9109 }] });
    expect(asked(ZONE, A, "no token").json).toMatchObject({ errors: [{ code: 6003 }] });
  });
});
