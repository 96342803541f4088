import { describe, expect, test } from "vitest";
import { covers, overlaps, parseRange } from "../../../../lib/address-ranges.ts";
import { reaches, whoReaches, type Question } from "../../../../lib/tailnet/reach.ts";

const relay = { src: ["tag:stalwart"], dst: ["tag:mail"], port: 587 } satisfies Question;
const host = (name: string): Question => ({ src: ["tag:stalwart"], dst: { host: name }, port: 587 });
const grant = (src: string, dst: string, ...ip: string[]) => ({ src: [src], dst: [dst], ip });
const open = (src: string, dst: string, more: object = {}) => ({
  ...more,
  grants: [grant(src, dst, "tcp:587")],
});
const answer = (document: object, question: Question) =>
  reaches(document as Record<string, unknown>, question).answer;

describe("a port of a grant", () => {
  test.each([
    ["*", "yes"],
    ["tcp:587", "yes"],
    ["TCP:587", "yes"],
    ["6:587", "yes"],
    ["587", "yes"],
    ["tcp:*", "yes"],
    ["tcp:25-587", "yes"],
    ["500-600", "yes"],
    ["tcp:25-586", "no"],
    ["tcp:588", "no"],
    ["udp:587", "no"],
    ["17:587", "no"],
    ["icmp:*", "no"],
    ["587,588", "maybe"],
    ["tcp:submission", "maybe"],
  ] as const)("%s opens tcp 587: %s", (ip, expected) => {
    expect(answer({ grants: [grant("tag:stalwart", "tag:mail", ip)] }, relay)).toBe(expected);
  });

  test.each([
    ["587", "yes"],
    ["udp:587", "yes"],
    ["tcp:587", "no"],
    ["*", "yes"],
  ] as const)("%s opens udp 587: %s", (ip, expected) => {
    expect(answer({ grants: [grant("tag:stalwart", "tag:mail", ip)] }, { ...relay, protocol: "udp" })).toBe(
      expected,
    );
  });

  test("is opened by none that grants an application only", () => {
    const app = { src: ["*"], dst: ["*"], app: { "tailscale.com/cap/drive": [{}] } };
    expect(answer({ grants: [app] }, relay)).toBe("no");
  });

  test("may be any where the question names none", () => {
    const question = { src: ["tag:stalwart"], dst: ["tag:mail"] };
    expect(answer(open("tag:stalwart", "tag:mail"), question)).toBe("yes");
    expect(answer({ grants: [grant("tag:stalwart", "tag:mail", "udp:53")] }, question)).toBe("no");
  });
});

describe("a tagged source is meant by", () => {
  test.each([
    ["*", "yes"],
    ["tag:stalwart", "yes"],
    ["autogroup:tagged", "yes"],
    ["autogroup:danger-all", "yes"],
    ["100.64.0.0/10", "yes"],
    ["0.0.0.0/0", "yes"],
    ["100.64.0.0-100.127.255.255", "yes"],
    ["ipset:all", "yes"],
    ["100.64.0.7", "maybe"],
    ["fd7a:115c:a1e0::/48", "maybe"],
    ["mailbox", "maybe"],
    ["ipset:one", "maybe"],
    ["ipset:holes", "maybe"],
    ["ipset:none", "maybe"],
    ["ipset:loop", "maybe"],
    ["whatever", "maybe"],
    ["tag:mail", "no"],
    ["autogroup:member", "no"],
    ["autogroup:admin", "no"],
    ["autogroup:self", "no"],
    ["group:ops", "no"],
    ["alice@example.org", "no"],
    ["192.168.0.0/16", "no"],
    ["svc:mail", "no"],
  ] as const)("%s: %s", (src, expected) => {
    const ipsets = {
      "ipset:all": ["add ipset:inner", "10.0.0.0/8"],
      "ipset:inner": ["100.0.0.0/8"],
      "ipset:one": ["host:mailbox"],
      "ipset:holes": ["add 100.64.0.0/10", "remove 100.64.0.7"],
      "ipset:loop": ["ipset:loop"],
    };
    const more = { hosts: { mailbox: "100.64.0.7" }, ipsets };
    expect(answer(open(src, "tag:mail", more), relay)).toBe(expected);
  });
});

describe("a host whose tags nobody tells is meant by", () => {
  test.each([
    ["*", "mailbox.tail7b1641.ts.net", "yes"],
    ["mailbox", "mailbox.tail7b1641.ts.net", "yes"],
    ["host:mailbox", "Mailbox.tail7b1641.ts.net.", "yes"],
    ["svc:mailbox", "mailbox.tail7b1641.ts.net", "yes"],
    ["svc:other", "mailbox.tail7b1641.ts.net", "no"],
    ["tag:mail", "mailbox.tail7b1641.ts.net", "maybe"],
    ["autogroup:tagged", "mailbox.tail7b1641.ts.net", "maybe"],
    ["autogroup:internet", "mailbox.tail7b1641.ts.net", "no"],
    ["other", "mailbox.tail7b1641.ts.net", "maybe"],
    ["10.0.0.0/8", "mailbox.tail7b1641.ts.net", "no"],
    ["10.0.0.0/8", "mail.example.org", "maybe"],
    ["10.0.0.0/8", "10.1.2.3", "yes"],
    ["10.0.0.0/8", "11.1.2.3", "no"],
    ["10.0.0.1-10.0.0.9", "10.0.0.9", "yes"],
    ["10.0.0.1-10.0.0.9", "10.0.0.10", "no"],
    ["fd7a:115c:a1e0::/48", "fd7a:115c:a1e0::7", "yes"],
  ] as const)("%s, for %s: %s", (dst, name, expected) => {
    expect(answer(open("tag:stalwart", dst, { hosts: { other: "100.64.0.9" } }), host(name))).toBe(expected);
  });

  test("an alias for an address, for that address", () => {
    const document = open("tag:stalwart", "box", { hosts: { box: "10.0.0.4" } });
    expect(answer(document, host("10.0.0.4"))).toBe("yes");
    expect(answer(document, host("10.0.0.5"))).toBe("no");
  });
});

describe("people as a source", () => {
  const groups = { "group:ops": ["alice@example.org"] };
  test.each([
    ["autogroup:admin", "autogroup:admin", "yes"],
    ["autogroup:member", "autogroup:admin", "yes"],
    ["autogroup:member", "autogroup:shared", "no"],
    ["autogroup:tagged", "autogroup:admin", "no"],
    ["autogroup:owner", "autogroup:admin", "maybe"],
    ["group:ops", "alice@example.org", "yes"],
    ["group:ops", "bob@example.org", "no"],
    ["group:ops", "autogroup:admin", "maybe"],
    ["alice@example.org", "alice@example.org", "yes"],
    ["alice@example.org", "bob@example.org", "no"],
    ["tag:ops", "alice@example.org", "no"],
    ["100.64.0.7", "alice@example.org", "maybe"],
  ] as const)("the rule's %s lets %s in: %s", (src, people, expected) => {
    expect(answer(open(src, "tag:mail", { groups }), { ...relay, src: people })).toBe(expected);
  });
});

describe("an old rule of acls", () => {
  const accept = (dst: string, more: object = {}) => ({
    acls: [{ action: "accept", src: ["tag:stalwart"], dst: [dst], ...more }],
  });
  test.each([
    [accept("tag:mail:587"), "yes"],
    [accept("tag:mail:25,500-600"), "yes"],
    [accept("tag:mail:*"), "yes"],
    [accept("*:*"), "yes"],
    [accept("tag:mail:587", { proto: "tcp" }), "yes"],
    [accept("tag:mail:*", { proto: "6" }), "yes"],
    [accept("tag:mail:587", { proto: "udp" }), "no"],
    [accept("tag:mail:*", { proto: "icmp" }), "no"],
    [accept("tag:mail:25,465"), "no"],
    [accept("tag:db:587"), "no"],
    [accept("tag:mail:587", { action: "drop" }), "no"],
    [{ acls: [{ action: "accept", users: ["tag:stalwart"], ports: ["tag:mail:587"] }] }, "yes"],
    [accept("[fd7a:115c:a1e0::/48]:587"), "maybe"],
  ] as const)("%j: %s", (document, expected) => {
    expect(answer(document, relay)).toBe(expected);
  });
});

describe("a condition makes a maybe", () => {
  test("of a grant with srcPosture or via, and says which", () => {
    const posture = {
      grants: [{ ...grant("tag:stalwart", "tag:mail", "587"), srcPosture: ["posture:new"] }],
    };
    expect(reaches(posture, relay)).toEqual({
      answer: "maybe",
      rule: "grants[0]",
      because: "grants[0] may open it: it asks for the posture posture:new",
    });
    const via = { grants: [{ ...grant("tag:stalwart", "tag:mail", "587"), via: ["tag:router"] }] };
    expect(reaches(via, relay)).toMatchObject({
      answer: "maybe",
      because: expect.stringContaining("via tag:router") as string,
    });
  });

  test("of every rule where the file sets a default posture", () => {
    const document = { ...open("tag:stalwart", "tag:mail"), defaultSrcPosture: ["posture:new"] };
    expect(answer(document, relay)).toBe("maybe");
  });

  test("but not where another grant opens it without", () => {
    const rule = grant("tag:stalwart", "tag:mail", "587");
    const document = { grants: [{ ...rule, via: ["tag:router"] }, rule] };
    expect(reaches(document, relay)).toEqual({ answer: "yes", rule: "grants[1]" });
  });
});

describe("a file", () => {
  test("with neither grants nor acls opens everything, with empty ones nothing", () => {
    expect(answer({ tagOwners: {} }, relay)).toBe("yes");
    expect(answer({ grants: [] }, relay)).toBe("no");
    expect(answer({ acls: [] }, relay)).toBe("no");
  });

  test("is judged by all its rules, and none of them is turned round", () => {
    const document = { grants: [grant("tag:mail", "tag:stalwart", "*"), grant("tag:x", "tag:mail", "*")] };
    expect(answer(document, relay)).toBe("no");
    expect(answer(document, { src: "tag:mail", dst: "tag:stalwart", port: 1 })).toBe("yes");
  });

  test.each([
    [{ grants: {} }],
    [{ grants: [null, 1, "x", {}, { src: "tag:stalwart", dst: 3, ip: null }] }],
    [{ acls: [{ src: [{}], dst: ["", ":", "tag:mail"] }], hosts: [], groups: null, ipsets: 7 }],
  ])("of odd shape opens nothing and throws nothing: %j", (document) => {
    expect(answer(document, relay)).toBe("no");
  });
});

describe("a source whose tags nobody tells", () => {
  const unknown = { src: {}, dst: ["tag:mail"], port: 587 } satisfies Question;
  test.each([
    ["*", "yes"],
    ["tag:stalwart", "maybe"],
    ["autogroup:admin", "maybe"],
  ] as const)("is meant by %s: %s", (src, expected) => {
    expect(answer(open(src, "tag:mail"), unknown)).toBe(expected);
  });

  test("reaches nothing where nobody does", () => {
    expect(answer(open("tag:stalwart", "tag:db"), unknown)).toBe("no");
  });
});

test("whoReaches names every source of a port, and which of them are not certain", () => {
  const document = {
    grants: [
      grant("tag:reverse-proxy", "tag:stalwart", "tcp:25", "tcp:443"),
      { src: ["autogroup:admin", "*"], dst: ["tag:stalwart"], ip: ["tcp:8080"] },
      { ...grant("group:ops", "tag:stalwart", "*"), srcPosture: ["posture:x"] },
      grant("tag:stalwart", "tag:reverse-proxy", "*"),
    ],
  };
  const because = "grants[2] may open it: it asks for the posture posture:x";
  expect(whoReaches(document, "tag:stalwart", 8080)).toEqual([
    { src: "autogroup:admin", answer: "yes", rule: "grants[1]" },
    { src: "*", answer: "yes", rule: "grants[1]" },
    { src: "group:ops", answer: "maybe", rule: "grants[2]", because },
  ]);
  expect(whoReaches(document, "tag:stalwart", 25).map(({ src }) => src)).toEqual([
    "tag:reverse-proxy",
    "group:ops",
  ]);
  expect(whoReaches(document, "tag:mail", 25)).toEqual([]);
});

describe("parseRange", () => {
  const at = (text: string) => parseRange(text) ?? expect.fail(`${text} is no range`);
  test.each([
    ["100.64.0.0/10", "100.127.255.255", true],
    ["100.64.0.0/10", "100.128.0.0", false],
    ["10.0.0.5/24", "10.0.0.0", true],
    ["::/0", "fd7a:115c:a1e0::53", true],
    ["::ffff:10.0.0.0/104", "::ffff:10.255.0.1", true],
    ["0.0.0.0/0", "::1", false],
    ["2001:db8::1-2001:db8::9", "[2001:db8::9]", true],
  ])("%s covers %s: %s", (range, address, expected) => {
    expect(covers(at(range), at(address))).toBe(expected);
    expect(overlaps(at(range), at(address))).toBe(expected);
  });
  test.each(["10.0.0.0/33", "tag:mail", "10.0.0", "", "10.0.0.1-::1", "fe80::1%eth0"])(
    "%s is none",
    (text) => {
      expect(parseRange(text)).toBeUndefined();
    },
  );
});
