import { describe, expect, test } from "vitest";

import { judgeListings } from "../../../../verify/checks/dns-dnsbl.ts";
import { askList, BLOCKLISTS, type Blocklist, reversed } from "../../../../verify/doctor/blocklists.ts";

const [ZEN, SPAMCOP, PSBL] = BLOCKLISTS as [Blocklist, Blocklist, Blocklist];
const [SMARTHOST, EDGE] = ["192.0.2.25", "198.51.100.7"];

/** Answers of a resolver by name; what it does not know does not exist. */
const resolver = (answers: Readonly<Record<string, string[] | string>>) => ({
  resolve4(name: string) {
    const found = answers[name] ?? "ENOTFOUND";
    if (typeof found !== "string") return Promise.resolve(found);
    return Promise.reject(Object.assign(new Error(`queryA ${found}`), { code: found }));
  },
});
const TESTS = Object.fromEntries(BLOCKLISTS.map(({ zone }) => [`2.0.0.127.${zone}`, ["127.0.0.2"]]));

async function judged(answers: Readonly<Record<string, string[] | string>>, lists = BLOCKLISTS) {
  const asked = lists.map((list) => askList(resolver({ ...TESTS, ...answers }), list, [SMARTHOST, EDGE]));
  return judgeListings(await Promise.all(asked), [SMARTHOST]);
}
const at = (address: string, { zone }: Blocklist) => `${reversed(address)}.${zone}`;

test("an address is asked for by its parts from the last to the first", () => {
  expect(reversed("192.0.2.99")).toBe("99.2.0.192");
  expect(reversed("2001:db8:1:2:3:4:567:89ab")).toBe(
    "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2",
  );
});

describe("the stack's addresses", () => {
  test("are on no list", async () => {
    expect(await judged({})).toEqual({
      state: "ok",
      seen: "192.0.2.25, 198.51.100.7: not on the list of Spamhaus ZEN, SpamCop, PSBL",
    });
  });

  test.each<[string, string, Blocklist, string, string, RegExp]>([
    ["the smarthost's, by which receivers refuse", SMARTHOST, ZEN, "127.0.0.3", "fail", /mail leaves/],
    ["the smarthost's as one of a home", SMARTHOST, ZEN, "127.0.0.11", "fail", /mail leaves/],
    ["the smarthost's, by which they score", SMARTHOST, SPAMCOP, "127.0.0.2", "warn", /mail leaves/],
    ["the edge's", EDGE, ZEN, "127.0.0.4", "warn", /the edge's address/],
  ])("are told with the list's own page: %s", async (_what, address, list, answer, state, seen) => {
    const found = await judged({ [at(address, list)]: [answer] });
    expect(found).toMatchObject({ state, seen: expect.stringMatching(seen) });
    expect(found.seen).toContain(`${list.name} (${answer})`);
    expect(found.advice).toContain(list.page(address));
  });

  test("are none that should send nothing, where they do not", async () => {
    expect(await judged({ [at(EDGE, ZEN)]: ["127.0.0.10"] })).toMatchObject({ state: "ok" });
  });
});

describe("a list is not believed", () => {
  const refusal = ["127.255.255.254"];
  const everybody = (answer: string) =>
    Object.fromEntries(
      ["127.0.0.1", "127.0.0.2", SMARTHOST, EDGE].map((address) => [at(address, PSBL), [answer]]),
    );

  test.each<[string, Record<string, string[] | string>, RegExp]>([
    [
      "that answers no public resolver",
      { [at(SMARTHOST, ZEN)]: refusal, [at(EDGE, ZEN)]: refusal },
      /Spamhaus ZEN does not answer this machine's resolver \(127\.255\.255\.254\)/,
    ],
    ["that a resolver holds back", { [at("127.0.0.2", SPAMCOP)]: "ENOTFOUND" }, /SpamCop is not to be had/],
    ["that was given up and lists everybody", everybody("127.0.0.2"), /PSBL lists everybody/],
    ["whose name somebody else has", everybody("203.0.113.9"), /PSBL lists everybody/],
    ["that does not answer", { [at(EDGE, PSBL)]: "ETIMEOUT" }, /PSBL cannot be asked: queryA ETIMEOUT/],
  ])("%s, and the others are", async (_what, answers, seen) => {
    expect(await judged(answers)).toMatchObject({ state: "ok", seen: expect.stringMatching(seen) });
    const listed = {
      ...answers,
      [at(SMARTHOST, SPAMCOP)]: ["127.0.0.2"],
      [at("127.0.0.2", SPAMCOP)]: ["127.0.0.2"],
    };
    expect(await judged(listed)).toMatchObject({ state: "warn", seen: expect.stringContaining("SpamCop (") });
  });

  test("and where none is, that is a warning to who asks by a public resolver, and else unknown", async () => {
    expect(await judged({ [at("127.0.0.2", ZEN)]: refusal }, [ZEN])).toMatchObject({
      state: "warn",
      advice: expect.stringContaining("resolver"),
    });
    expect(await judged({ [at("127.0.0.2", ZEN)]: "ETIMEOUT" }, [ZEN])).toMatchObject({ state: "unknown" });
  });
});

test("a list without IPv6 is not asked for such an address", async () => {
  const addresses = ["2001:db8::25", SMARTHOST];
  const [zen, psbl] = await Promise.all([ZEN, PSBL].map((list) => askList(resolver(TESTS), list, addresses)));
  expect([...(zen?.listed.keys() ?? [])]).toEqual(addresses);
  expect([...(psbl?.listed.keys() ?? [])]).toEqual([SMARTHOST]);
});
