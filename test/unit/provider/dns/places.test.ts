// Records are written through the HTTP APIs of DNS providers, which are fakes of these.
import { randomInt } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { mailRecords } from "../../../../lib/dns/mail-records.ts";
import { type RecordSets, recordSets, type SetChange } from "../../../../lib/dns/record-sets.ts";
import { isSpf } from "../../../../lib/dns/spf-terms.ts";
import { writerAt } from "../../../../provider/dns/places.ts";
import { RecordSetResource, type RecordSetState } from "../../../../provider/dns/record-set.ts";
import type { RecordsWriter } from "../../../../provider/dns/writer.ts";
import {
  cloudflareAccount,
  desecAccount,
  type DnsAccount,
  type Line,
  spaceshipAccount,
  textsAt,
} from "../../../fakes/dns-accounts.ts";
import { domain, wholeSetup } from "../../lib/dns/setup.ts";

const ZONES = ["example.org", "example.net", "example.com"];
/** What is somebody else's, in each zone. */
const OTHERS = ZONES.flatMap((zone): Line[] => [
  [zone, "TXT", "google-site-verification=abc"],
  [`www.${zone}`, "A", "192.0.2.80"],
]);
const linesOf = (sets: RecordSets) =>
  Object.entries(sets).flatMap(([key, values]) => values.map((value) => `${key} ${value}`));
const withOthers = (sets: RecordSets) =>
  [...linesOf(sets), ...OTHERS.map((line) => line.join(" "))].toSorted();

const dkim = [{ selector: "tw", record: `v=DKIM1; k=rsa; p=${"M".repeat(392)}` }];
/** Spaceship holds no other. */
const offered = ({ type, ...rest }: { type: string; port?: number }) => type !== "SRV" || rest.port !== 0;
const { records: all } = mailRecords(wholeSetup({ domains: ZONES.map((zone) => domain(zone)), dkim }));

describe.each([
  // How many requests write the changes of a zone, and how often they are cut off.
  ["spaceship", spaceshipAccount, { requests: 4, times: 60 }],
  ["cloudflare", cloudflareAccount, { requests: 1, times: 20 }],
  ["desec", desecAccount, { requests: 1, times: 20 }],
] as const)("at %s", (type, accountOf, { requests, times }) => {
  const records = recordSets(all.filter((record) => type !== "spaceship" || offered(record)));
  let account: DnsAccount;
  let folder: string;
  let url: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "tailwart-places-"));
    account = accountOf(ZONES);
    account.set(...OTHERS);
    url = await account.server.start();
  });
  afterEach(() => {
    account.server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const state = (more: Partial<RecordSetState> = {}): RecordSetState => ({
    writer: account.place(url),
    secret: account.secrets.good,
    records,
    adopt: [],
    // Nobody: whether the zone's servers follow is another test's.
    servers: ["127.0.0.1:1"],
    removeOnDestroy: false,
    ...more,
  });
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const resource = () => new RecordSetResource({ folder, patience: 0 });
  const up = (desired: RecordSetState, previous?: RecordSetState) => resource().apply(desired, previous, say);

  test("records are there as declared, beside other people's, and a second deploy writes nothing", async () => {
    await up(state());
    expect(account.lines()).toEqual(withOthers(records));
    expect(readdirSync(folder)).toHaveLength(1);
    account.server.writes();
    await up(state(), state());
    expect(account.server.writes()).toEqual([]);
  });

  test("an IPv6 address is written, seen, and gives its place to another", async () => {
    const at = (address: string) => state({ records: { "mail.example.org AAAA": [address] } });
    await up(at("2001:db8::1"));
    expect(account.lines()).toEqual(withOthers(at("2001:db8::1").records));
    expect(await resource().read(at("2001:db8::2"))).toMatchObject(at("2001:db8::1"));
    await up(at("2001:db8::2"), at("2001:db8::1"));
    expect(account.lines()).toEqual(withOthers(at("2001:db8::2").records));
  });

  test("records in the way stop a deploy before it writes, with both values, until they are adopted", async () => {
    account.set(["example.org", "MX", "5 old.example.com."], ["example.org", "TXT", "v=spf1 mx -all"]);
    const before = account.lines();
    const refusal = await up(state()).catch(String);
    expect(refusal).toContain("there is: 5 old.example.com.\n");
    expect(refusal).toContain("there is: v=spf1 mx -all");
    expect(refusal).not.toContain("google-site-verification");
    expect(account.server.writes()).toEqual([]);
    expect(account.lines()).toEqual(before);
    await up(state({ adopt: ["example.org MX", "example.org TXT"] }));
    expect(account.lines()).toEqual(withOthers(records));
  });

  test("a name that is somebody's alias stops a deploy before anything of its zone is changed", async () => {
    const spf = (i: number) => ({ "example.org TXT": [`v=spf1 ip4:192.0.2.${i} ~all`] });
    await up(state({ records: spf(1) }));
    account.set(["autoconfig.example.org", "CNAME", "old.example.com."]);
    const before = account.lines();
    const desired = state({ records: { ...spf(2), "autoconfig.example.org A": ["198.51.100.7"] } });
    await expect(up(desired, state({ records: spf(1) }))).rejects.toThrow(/answers .* with HTTP 4[02][02]/);
    expect(account.lines()).toEqual(before);
  });

  test("a refresh sees hand edits; what is gone comes back, and what somebody has put there is theirs", async () => {
    await up(state());
    account.unset("example.org", "MX");
    account.set(["example.org", "MX", "5 old.example.com."]);
    account.unset("_dmarc.example.net", "TXT");
    const seen = await resource().read(state());
    expect(seen.records["example.org MX"]).toEqual(["5 old.example.com."]);
    expect(seen.records).not.toHaveProperty(["_dmarc.example.net TXT"]);
    expect(seen.records["example.org TXT"]).toEqual(records["example.org TXT"]);
    await expect(up(state(), seen)).rejects.toThrow(/there is: 5 old\.example\.com\./);
    const again = await resource().read(seen);
    expect(again).toEqual(seen);
    await up(state({ adopt: ["example.org MX"] }), seen);
    expect(account.lines()).toEqual(withOthers(records));
  });

  test("records go with the stack, but for MX, its hosts and DKIM unless told", async () => {
    await up(state());
    await resource().delete(state(), say);
    const stays = Object.fromEntries(
      Object.entries(records).filter(([key]) => / MX$|^mail\.\S+ A$|\._domainkey\./.test(key)),
    );
    expect(account.lines()).toEqual(withOthers(stays));
    await resource().delete(state({ removeOnDestroy: true }), say);
    expect(account.lines()).toEqual(withOthers({}));
  });

  test.each(["reads", "dead"] as const)(
    "a key that %s is refused with what to do, its secret in no message, and nothing is written",
    async (which) => {
      const secret = account.secrets[which];
      const refusal = await up(state({ secret })).catch(String);
      expect(refusal).toMatch(/answers .* with HTTP 40[13]/);
      expect(refusal).toContain("pulumi config set --secret tailwart:dnsSecret");
      expect(refusal).not.toContain(secret);
      expect(account.lines()).toEqual(withOthers({}));
    },
  );

  test("a zone that the account has not is refused before anything is written", async () => {
    const more = { ...records, "example.edu MX": ["10 mail.example.org."] };
    await expect(up(state({ records: more }))).rejects.toThrow(/has no zone for example\.edu/);
    expect(account.server.writes()).toEqual([]);
  });

  test("a request that comes too early is put again when the service says, and given up when that is long", async () => {
    account.server.throttled.push(1);
    const since = Date.now();
    await up(state());
    expect(Date.now() - since).toBeGreaterThan(900);
    expect(account.lines()).toEqual(withOthers(records));
    account.server.throttled.push(3600);
    await expect(up(state())).rejects.toThrow(/takes no more requests for 3600 s/);
  });

  test("a zone with more records than a page is read to its end", async () => {
    const many = Array.from({ length: 1200 }, (_, i): Line => [`h${i}.example.org`, "A", "192.0.2.81"]);
    account.set(...many);
    const set = { "h0.example.org A": ["192.0.2.81"], "h1199.example.org A": ["192.0.2.81"] };
    expect((await resource().read(state({ records: set }))).records).toEqual(set);
  });

  describe("an SPF record that becomes another", () => {
    const spf = (i: number) => ({ "example.org TXT": [`v=spf1 ip4:192.0.2.${i} ~all`] });
    const deploys = 8;

    /** How many SPF records the zone has had at once, looked at all the time. */
    async function watched(work: (step: number) => Promise<unknown>): Promise<Set<number>> {
      await up(state({ records: spf(0) }));
      account.server.latency = 3;
      const counts = new Set<number>();
      let done = false;
      const look = () => counts.add(textsAt(account, "example.org").filter(isSpf).length);
      account.watch?.(look);
      const looks = (async () => {
        for (; !done; await turn()) look();
      })();
      for (let step = 1; step <= deploys; step++) await work(step);
      done = true;
      await looks;
      return counts;
    }

    test("is never two at any moment", async () => {
      const counts = await watched((i) => up(state({ records: spf(i) }), state({ records: spf(i - 1) })));
      expect(counts).not.toContain(2);
      expect(counts).toContain(1);
      expect(account.lines()).toEqual(withOthers(spf(deploys)));
    });

    /** The real writer, but for what it is told to write. */
    const instead =
      (steps: (changes: readonly SetChange[]) => SetChange[][]) =>
      ({ writer, secret }: RecordSetState): RecordsWriter => {
        const real = writerAt(writer, secret);
        const write = async (changes: readonly SetChange[]) => {
          for (const step of steps(changes)) await real.write(step);
        };
        return { where: real.where, read: (keys) => real.read(keys), write };
      };
    const adds = (changes: readonly SetChange[]) => changes.map((each) => ({ ...each, remove: [] }));
    const removes = (changes: readonly SetChange[]) => changes.map((each) => ({ ...each, add: [] }));

    test.each([
      ["only puts the new one (lesson 18)", instead((changes) => [adds(changes)])],
      [
        "puts the new one before it takes the old one away",
        instead((changes) => [adds(changes), removes(changes)]),
      ],
    ])("is seen twice by the same look where a writer %s", async (_what, writerOf) => {
      const wrong = new RecordSetResource({ folder, patience: 0, writerOf });
      const counts = await watched((i) =>
        wrong.apply(state({ records: spf(i) }), state({ records: spf(i - 1) }), say).catch(String),
      );
      expect(counts).toContain(2);
    });
  });

  describe("a deploy that is cut off", () => {
    /** Another state of the zones each time: some sets change, some come, some go. */
    const wanted = (i: number): RecordSets => {
      const sets: RecordSets = {};
      for (const zone of ZONES) {
        sets[`${zone} TXT`] = [`v=spf1 ip4:192.0.2.${i % 250} ~all`];
        sets[`${zone} MX`] = [`${10 + (i % 7)} mail.example.org.`];
        sets[`_dmarc.${zone} TXT`] = [`v=DMARC1; p=${["none", "quarantine", "reject"][i % 3]}`];
        if (i % 2) sets[`_mta-sts.${zone} TXT`] = [`v=STSv1; id=${i}`];
        if (i % 3) sets[`mail.${zone} A`] = [`198.51.100.${i % 250}`, "198.51.100.251"].slice(0, i % 3);
      }
      return sets;
    };
    const worst = () =>
      Math.max(
        ...ZONES.flatMap((zone) => [
          textsAt(account, zone).filter(isSpf).length,
          textsAt(account, `_dmarc.${zone}`).length,
          textsAt(account, `_mta-sts.${zone}`).length,
        ]),
      );

    test(
      "at any of its writes, many times, is finished by the next one, with nothing foreign touched",
      { timeout: 60_000 },
      async () => {
        const others = OTHERS.map((line) => line.join(" "));
        await up(state({ records: wanted(0) }));
        for (let i = 1; i <= times; i++) {
          const [olds, news] = [state({ records: wanted(i - 1) }), state({ records: wanted(i) })];
          const cut = { writes: randomInt(ZONES.length * requests), done: randomInt(2) === 1 };
          account.server.cutAfter = { ...cut };
          const failure = await up(news, olds).then(() => undefined, String);
          account.server.cutAfter = undefined;
          const at = `deploy ${i}, cut ${JSON.stringify(cut)}: ${failure}`;
          expect(failure, at).toMatch(/does not answer/);
          expect(worst(), at).toBeLessThan(2);
          expect(account.lines(), at).toEqual(expect.arrayContaining(others));
          // Killed itself, the engine knows the last state; where the provider ends with an error,
          // what may be of both.
          const known = randomInt(2) ? olds : resource().interrupted(news, olds);
          await up(news, known);
          expect(account.lines(), at).toEqual(withOthers(wanted(i)));
        }
      },
    );

    test("before its first write leaves the old records ours, so that yet others can take their place", async () => {
      const [olds, news, others] = [0, 1, 2].map((i) => state({ records: wanted(i) }));
      if (!olds || !news || !others) throw new Error("three states");
      await up(olds);
      account.server.cutAfter = { writes: 0, done: false };
      await expect(up(news, olds)).rejects.toThrow(/does not answer/);
      account.server.cutAfter = undefined;
      await up(others, resource().interrupted(news, olds));
      expect(account.lines()).toEqual(withOthers(wanted(2)));
    });
  });

  test("a writer of another type is refused by its name", () => {
    const failures = resource().check({ ...state(), writer: { type: "route53" } });
    expect(failures).toEqual([
      { property: "writer.type", reason: expect.stringContaining("accepts rfc2136") },
    ]);
  });
});
