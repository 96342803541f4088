// What only Spaceship does with records: some of a zone's are its own, and no key's.
import { afterEach, beforeEach, expect, test } from "vitest";

import { type ResourceRecord, Spaceship as FakeSpaceship } from "../../../../lab/fakes/spaceship.ts";
import { HttpWriter } from "../../../../provider/dns/http-writer.ts";
import { Spaceship } from "../../../../provider/dns/spaceship.ts";
import { DnsApiServer } from "../../../fakes/dns-api-server.ts";

const SECRET = "a-secret-for-tests";
const KEY = "www.example.org A";
/** As a redirect of the domain has it there (go-spaceship-sdk, client/dns_clear_test.go). */
const REDIRECT = { type: "A", name: "www", ttl: 3600, address: "15.197.162.184", group: { type: "product" } };
const SEEN = "15.197.162.184 (set by Spaceship itself)";

let fake: FakeSpaceship;
let server: DnsApiServer;
let writer: HttpWriter;
beforeEach(async () => {
  const scopes = ["dnsrecords:read", "dnsrecords:write"] as const;
  fake = new FakeSpaceship([{ key: "key", secret: SECRET, scopes }], ["example.org"]);
  server = new DnsApiServer((question) => {
    const answer = fake.answer(question);
    if (question.method !== "GET" || answer.status !== 200) return answer;
    const { items, total } = answer.json as { items: ResourceRecord[]; total: number };
    return { ...answer, json: { items: [...items, REDIRECT], total: total + 1 } };
  });
  const url = `${await server.start()}/api/v1`;
  writer = new HttpWriter(new Spaceship({ apiKey: "key", url }, SECRET));
});
afterEach(() => server.stop());

test("a record of a product of its own is told from the account's, also where it says the same", async () => {
  await writer.write([{ key: KEY, remove: [], add: ["15.197.162.184"] }]);
  expect(await writer.read([KEY])).toEqual({ [KEY]: ["15.197.162.184", SEEN] });
});

test("and gives no place to ours, adopted or not: nothing of the zone is written", async () => {
  const change = { key: KEY, remove: [SEEN], add: ["192.0.2.1"] };
  const other = { key: "mail.example.org A", remove: [], add: ["192.0.2.1"] };
  const said = await writer.write([other, change]).catch(String);
  expect(said).toContain(`UserError: ${KEY} cannot give its place: ${SEEN}`);
  expect(said).toContain("Turn off at Spaceship what has it there");
  expect(server.writes()).toEqual([]);
});

test("nor does it go with what is taken away beside it", async () => {
  await writer.write([{ key: KEY, remove: [], add: ["192.0.2.1"] }]);
  await writer.write([{ key: KEY, remove: ["192.0.2.1", SEEN], add: [] }]);
  expect(fake.records("example.org")).toEqual([]);
  expect(await writer.read([KEY])).toEqual({ [KEY]: [SEEN] });
});
