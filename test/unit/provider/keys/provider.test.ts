import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { toFileKeys, toSettingKeys } from "../../../../lib/desired-state/keys/keys.ts";
import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import { accountUpdates } from "../../../../provider/keys/accounts.ts";
import { checkRegistryInputs } from "../../../../provider/registry/check.ts";
import { checkInputs, withDefaults } from "../../../../provider/keys/check.ts";
import { groupUpdates } from "../../../../provider/keys/groups.ts";
import { planSettings } from "../../../../provider/keys/plan.ts";
import { diffProperties, UNKNOWN } from "../../../../provider/plugin/diff.ts";
import { gateState } from "../../../../provider/server/wait-until-ready.ts";
import { desired } from "../../lib/desired-state/desired.ts";

const settings = parseSettings(desired);
const HASH = `$6$saltsalt$${"a".repeat(86)}`;
const inputs = () => ({
  target: { dockerHost: "ssh://root@kvm.example.org", container: "stalwart" } as Record<string, unknown>,
  settings: toSettingKeys(settings) as Record<string, unknown>,
  fileSettings: toFileKeys(settings),
  domains: settings.domains.map(({ name }) => name),
  accounts: { alice: { emails: ["alice@lab.test"], secret: HASH } } as Record<string, unknown>,
});

describe("the inputs", () => {
  test("as the components write them are taken", () => {
    expect(checkInputs(withDefaults(inputs()))).toEqual([]);
  });

  test("that are not known yet are taken", () => {
    const unknown = inputs();
    unknown.accounts = { alice: { emails: ["alice@lab.test"], secret: UNKNOWN } };
    unknown.target.container = UNKNOWN;
    expect(checkInputs(withDefaults(unknown))).toEqual([]);
    for (const groups of [UNKNOWN, { info: UNKNOWN }, { info: { emails: UNKNOWN, members: [UNKNOWN] } }])
      expect(checkInputs(withDefaults({ ...unknown, groups }))).toEqual([]);
    const groups = { info: { emails: ["info@lab.test"], members: ["bob"] } };
    expect(checkInputs(withDefaults({ ...unknown, accounts: UNKNOWN, groups }))).toEqual([]);
  });

  test("of a lab that leaves lesson 14's guard out may name a route that nobody knows", () => {
    const settings = { "queue.strategy.route.0001.else": "'x'" };
    expect(checkInputs(withDefaults({ ...inputs(), settings, withoutGuards: { 14: true } }))).toEqual([]);
    const route = { match: {}, else: "'x'" };
    const registry = { target: inputs().target, objects: { MtaOutboundStrategy: { route } } };
    expect(JSON.stringify(checkRegistryInputs(registry))).toContain("lesson 14");
    const taken = checkRegistryInputs({ ...registry, withoutGuards: { 14: true } });
    expect(JSON.stringify(taken)).not.toContain("lesson 14");
  });

  test.each([
    [
      "a strategy for an undeclared route",
      { settings: { "queue.strategy.route.0001.else": "'x'" } },
      'settings["queue.strategy.route.0001.else"]',
      /lesson 14/,
    ],
    [
      "a strategy that is an expression",
      { settings: { "queue.strategy.route": "rcpt_domain" } },
      'settings["queue.strategy.route"]',
      /lesson 14/,
    ],
    ["a masked secret", { settings: { a: "****" } }, 'settings["a"]', /overwrite/],
    [
      "a secret among the settings",
      { settings: { "queue.route.x.auth.secret": "p" } },
      'settings["queue.route.x.auth.secret"]',
      /file/,
    ],
    ["a number", { settings: { a: 1 } }, 'settings["a"]', /a text/],
    [
      "a password where a hash belongs",
      { accounts: { a: { emails: ["a@b.c"], secret: "hunter2" } } },
      'accounts["a"].secret',
      /hash, not a password/,
    ],
    [
      "an account without addresses",
      { accounts: { a: { emails: [], secret: HASH } } },
      'accounts["a"].emails',
      /at least one/,
    ],
    [
      "a group without addresses",
      { groups: { info: { emails: [], members: ["alice"] } } },
      'groups["info"].emails',
      /at least one/,
    ],
    [
      "a group without members",
      { groups: { info: { emails: ["i@b.c"] } } },
      'groups["info"].members',
      /at least one account's name/,
    ],
    [
      "a member that is none of accounts",
      { groups: { info: { emails: ["i@b.c"], members: ["alice", "bob"] } } },
      'groups["info"].members',
      /names bob, which is none of accounts/,
    ],
    [
      "a group that is called as an account is",
      { groups: { alice: { emails: ["i@b.c"], members: ["alice"] } } },
      'groups["alice"]',
      /is an account too/,
    ],
    [
      "a group that is called as the administrator is",
      { groups: { root: { emails: ["i@b.c"], members: ["alice"] } }, admin: { name: "root", secret: HASH } },
      'groups["root"]',
      /administrator's account/,
    ],
    [
      "a container that reads as an option",
      { target: { dockerHost: "unix:///x", container: "--privileged" } },
      "target.container",
      /name or id/,
    ],
    [
      "a Docker host that reads as an option",
      { target: { dockerHost: "-x", container: "c" } },
      "target.dockerHost",
      /ssh:/,
    ],
    [
      "an API elsewhere",
      { target: { dockerHost: "unix:///x", container: "c", api: "http://example.org:80" } },
      "target.api",
      /inside the container/,
    ],
    ["guards that are no map", { withoutGuards: 14 }, "withoutGuards", /for labs alone/],
    ["an unknown property", { domain: "x" }, "domain", /no property/],
  ])("with %s are refused", (_, change, property, reason) => {
    const failures = checkInputs(withDefaults({ ...inputs(), ...change }));
    expect(failures.map((failure) => failure.property)).toContain(property);
    expect(failures.find((failure) => failure.property === property)?.reason).toMatch(reason);
    expect(JSON.stringify(failures)).not.toContain("hunter2");
  });
});

describe("the diff", () => {
  test("names each key, and keys that stay are not in it", () => {
    const old = { settings: { "a.b": "1", c: "2", d: "3" }, domains: ["x"] };
    const news = { settings: { "a.b": "9", c: "2", e: "4" }, domains: ["x", "y"] };
    expect(diffProperties(old, news)).toEqual({
      'settings["a.b"]': "update",
      "settings.d": "delete",
      "settings.e": "add",
      domains: "update",
    });
  });

  test("of a thing with itself is empty, and an unknown value always differs", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.string()))), (map) => {
        expect(diffProperties(map, structuredClone(map))).toEqual({});
      }),
    );
    expect(diffProperties({ a: UNKNOWN }, { a: UNKNOWN })).toEqual({ a: "update" });
  });
});

describe("the plan", () => {
  const keys = fc.constantFrom(
    "queue.route.smarthost.address",
    "queue.route.other.address",
    "queue.strategy.route",
    "queue.strategy.route.0000.if",
    "server.allowed-ip.192.0.2.1",
    "queue.connection.default.timeout.connect",
    "session.foreign",
  );
  const map = fc.dictionary(keys, fc.constantFrom("1", "2"));

  test("carried out leaves nothing to do, and touches nothing that is foreign", () => {
    fc.assert(
      fc.property(map, map, map, (live, want, previous) => {
        const plan = planSettings(live, want, previous);
        const after: Record<string, string> = { ...live, ...Object.fromEntries(plan.set) };
        for (const key of plan.remove) delete after[key];
        expect(planSettings(after, want, previous)).toEqual({ set: [], remove: [] });
        expect(after).toMatchObject(want);
        for (const key of ["session.foreign", "queue.route.other.address"]) {
          if (
            !(key in want) &&
            !(key in previous) &&
            !Object.keys(want).some((k) => k.startsWith("queue.route.other"))
          ) {
            expect(after[key]).toBe(live[key]);
          }
        }
      }),
    );
  });

  test("never removes a relay's credentials, which belong to config.toml", () => {
    const live = { "queue.route.smarthost.auth.secret": "%{file:x}%", "queue.route.smarthost.stray": "1" };
    expect(planSettings(live, { "queue.route.smarthost.type": "relay" }, {}).remove).toEqual([
      "queue.route.smarthost.stray",
    ]);
  });
});

describe("an account that exists", () => {
  const own = { emails: ["alice@lab.test"], secret: "hash-1" };

  test("keeps a password and addresses that its owner has added", () => {
    expect(
      accountUpdates({ emails: ["alice@lab.test", "a@lab.test"], secrets: ["owner's", "$app$x"] }, own, own),
    ).toEqual([]);
    expect(accountUpdates({ emails: ["alice@lab.test"], secrets: ["owner's"] }, own, undefined)).toEqual([]);
  });

  test("gets the new password when the declared one changes, once", () => {
    const next = { ...own, secret: "hash-2" };
    expect(accountUpdates({ emails: own.emails, secrets: ["hash-1"] }, next, own)).toEqual([
      { action: "addItem", field: "secrets", value: "hash-2" },
    ]);
    expect(accountUpdates({ emails: own.emails, secrets: ["hash-2"] }, next, own)).toEqual([]);
  });
});

describe("a group that exists", () => {
  const own = { emails: ["info@lab.test"], members: ["alice"] };

  test("gets what is missing, and keeps members and addresses that were added by hand", () => {
    const live = { emails: ["info@lab.test", "i@lab.test"], members: ["carol"] };
    expect(groupUpdates(live, { ...own, emails: [...own.emails, "help@lab.test"], quota: 9 }, own)).toEqual([
      { action: "addItem", field: "emails", value: "help@lab.test" },
      { action: "set", field: "quota", value: 9 },
      { action: "addItem", field: "members", value: "alice" },
    ]);
    expect(groupUpdates({ ...live, members: ["carol", "alice"] }, own, undefined)).toEqual([]);
  });

  test("loses what the last deploy has declared and this one does not, where it is still there", () => {
    const before = { emails: [...own.emails, "help@lab.test"], members: ["alice", "bob", "gone"], quota: 9 };
    const live = { emails: before.emails, members: ["alice", "bob", "carol"], quota: 9 };
    expect(groupUpdates(live, own, before)).toEqual([
      { action: "removeItem", field: "emails", value: "help@lab.test" },
      { action: "set", field: "quota", value: 0 },
      { action: "removeItem", field: "members", value: "bob" },
    ]);
  });
});

describe("the gate's state in a container's log", () => {
  test("is the last thing that was said about it", () => {
    const waiting = "tailwart: gate: waiting for Postgres db.tail.test:5432: timed out";
    expect(gateState(`noise\n${waiting}\n`)).toEqual({ target: "db.tail.test:5432", reason: "timed out" });
    expect(gateState(`${waiting}\ntailwart: gate: Postgres db.tail.test:5432 answers\n`)).toBeUndefined();
    expect(gateState(`tailwart: watch: SMTP greets on 127.0.0.1:25\n${waiting}`)?.reason).toBe("timed out");
    expect(gateState("")).toBeUndefined();
  });
});
