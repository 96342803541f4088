/** Shared mailboxes on Stalwart 0.16 and later, against the fake of its registry. */
import { describe, expect, test } from "vitest";

import { PartialError } from "../../../../provider/plugin/partial-error.ts";
import type { AccountState, GroupState } from "../../../../provider/server/state.ts";
import { RegistryApi } from "../../../../provider/registry/jmap.ts";
import type { RegistryState } from "../../../../provider/registry/state.ts";
import { freshRegistry } from "./fresh-registry.ts";
import { registryObjects } from "./objects.ts";

const secret = `$2b$12$${"a".repeat(53)}`;
const PEOPLE: Record<string, AccountState> = Object.fromEntries(
  ["alice", "bob", "carol"].map((name) => [name, { emails: [`${name}@lab.test`], secret }]),
);
const info = (members: string[], more: Partial<GroupState> = {}): Record<string, GroupState> => ({
  info: { emails: ["info@lab.test"], members, ...more },
});

const at = freshRegistry();

const resource = () => at.resource(600);
const state = (groups: Record<string, GroupState>, accounts = PEOPLE): RegistryState => ({
  target: { dockerHost: "unix:///none", container: "test", api: at.base },
  accounts,
  groups,
  objects: registryObjects({ domains: [{ name: "lab.test" }, { name: "second.test" }] }),
});
const up = async (desired: RegistryState, previous?: RegistryState) => {
  const said: string[] = [];
  at.fake.requests.length = 0;
  const left = await resource().apply(desired, previous, (words) => void said.push(words));
  return { left, said: said.join("\n") };
};
const row = (name: string) => at.fake.inForce("Account").find((each) => each["name"] === name);
const domainId = (name: string) => at.fake.inForce("Domain").find((each) => each["name"] === name)?.["id"];
const isIn = (account: string, group = "info") =>
  ((row(account)?.["memberGroupIds"] ?? {}) as Record<string, unknown>)[String(row(group)?.["id"])] === true;
const members = (group = "info") => Object.keys(PEOPLE).filter((account) => isIn(account, group));
const byHand = (account: string, change: Record<string, unknown>) =>
  at.fake.edit("Account", (each) => each["name"] === account, change);
const failed = (apply: Promise<unknown>): Promise<unknown> =>
  apply.then(
    () => undefined,
    (error: unknown) => error,
  );

test("are made after the accounts and before the marker is left, and a second apply writes nothing", async () => {
  const desired = state(info(["alice"], { emails: ["info@lab.test", "help@second.test"], quota: 7_000_000 }));
  const { left } = await up(desired);
  expect(left.groups).toEqual(desired.groups);
  expect(row("info")).toMatchObject({
    "@type": "Group",
    domainId: domainId("lab.test"),
    aliases: { 0: { enabled: true, name: "help", domainId: domainId("second.test") } },
    quotas: { maxDiskQuota: 7_000_000 },
  });
  expect(row("info")).not.toHaveProperty("credentials");
  expect(members()).toEqual(["alice"]);
  const sets = at.fake.requests.filter((request) => request.startsWith("set "));
  // Accounts, groups, members.
  expect(sets.filter((request) => request === "set Account")).toHaveLength(3);
  expect(sets.lastIndexOf("set Account")).toBeLessThan(sets.lastIndexOf("set MtaConnectionStrategy"));
  expect(await resource().read(left)).toEqual(left);
  expect((await up(desired, left)).said).toContain("0 written");
});

test("cost three requests more where all is there, for forty accounts as for one, and none where none is declared", async () => {
  const people = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`p${i}`, { emails: [`p${i}@lab.test`], secret }]),
  );
  const requests = async (groups: Record<string, GroupState> | undefined) => {
    const { groups: _, ...desired } = state({}, people);
    const all = groups ? { ...desired, groups } : desired;
    const { left } = await up(all);
    at.fake.answers = 0;
    await up(all, left);
    return at.fake.answers;
  };
  const none = await requests(undefined);
  expect(await requests({})).toBe(none);
  // The domains, two questions for ids in one, and the rows.
  expect(await requests(info(["p7"]))).toBe(none + 3);
});

describe("members", () => {
  test("become those that are declared, in one request, and of other groups they stay members", async () => {
    const other = { other: { emails: ["other@lab.test"], members: ["alice", "bob"] } };
    const { left } = await up(state({ ...info(["alice", "bob"]), ...other }));
    await up(state({ ...info(["bob", "carol"]), ...other }), left);
    expect(members()).toEqual(["bob", "carol"]);
    expect(members("other")).toEqual(["alice", "bob"]);
    expect(at.fake.requests.filter((request) => request === "set Account")).toHaveLength(1);
  });

  test("that were added by hand stay, and are no difference", async () => {
    const { left } = await up(state(info(["alice"])));
    byHand("carol", { memberGroupIds: { [String(row("info")?.["id"])]: true } });
    expect(await resource().read(left)).toEqual(left);
    await up(state(info(["bob"])), left);
    expect(members()).toEqual(["bob", "carol"]);
  });

  test("that were taken out by hand show as a difference, and are put back", async () => {
    const desired = state(info(["alice", "bob"]));
    const { left } = await up(desired);
    byHand("bob", { memberGroupIds: {} });
    const seen = await resource().read(left);
    expect(seen?.groups?.["info"]?.members).toEqual(["alice"]);
    await up(desired, seen);
    expect(members()).toEqual(["alice", "bob"]);
  });

  test("are taken out also where their account is declared no more", async () => {
    const { left } = await up(state(info(["alice", "bob"])));
    const { bob: _, ...others } = PEOPLE;
    await up(state(info(["alice"]), others), left);
    expect(members()).toEqual(["alice"]);
    expect(row("bob")).toBeDefined();
  });

  test("whose account is gone are no obstacle to being taken out", async () => {
    const { left } = await up(state(info(["alice", "bob"])));
    at.fake.edit("Account", (each) => each["name"] === "bob", undefined);
    const { bob: _, ...others } = PEOPLE;
    await up(state(info(["alice"]), others), left);
    expect(members()).toEqual(["alice"]);
  });
});

test("addresses and a quota are completed, and taken back where the last deploy has made them", async () => {
  const { left } = await up(state(info([], { emails: ["info@lab.test", "a@lab.test"], quota: 5 })));
  const live = row("info")?.["aliases"] as Record<string, unknown>;
  byHand("info", {
    aliases: { ...live, 1: { enabled: true, name: "hand", domainId: domainId("lab.test") } },
  });
  expect(await resource().read(left)).toEqual(left);
  await up(state(info([], { emails: ["info@lab.test", "b@lab.test"] })), left);
  const aliases = Object.values(row("info")?.["aliases"] as Record<string, Record<string, unknown>>);
  expect(aliases.map(({ name }) => name)).toEqual(["hand", "b"]);
  expect(row("info")?.["quotas"]).toEqual({});
});

test("one that is declared no more stays with its members, also after a destroy", async () => {
  const { left } = await up(state(info(["alice"])));
  const next = await up(state({}), left);
  expect(members()).toEqual(["alice"]);
  await resource().delete(next.left, () => undefined);
  expect(members()).toEqual(["alice"]);
});

test("one that is gone shows as gone, and is made anew with its members", async () => {
  const desired = state(info(["alice"]));
  const { left } = await up(desired);
  // A group that has members is not destroyed (objectIsLinked).
  byHand("alice", { memberGroupIds: {} });
  at.fake.edit("Account", (each) => each["name"] === "info", undefined);
  const seen = await resource().read(left);
  expect(seen?.groups).toEqual({});
  await up(desired, seen);
  expect(members()).toEqual(["alice"]);
});

describe("what is something else on the server", () => {
  test("an account is no group, and says so", async () => {
    await up(state({}));
    await expect(up(state({ alice: { emails: ["alice@lab.test"], members: [] } }, {}))).rejects.toThrow(
      "alice is a User in container test, not a group",
    );
  });

  test("a group is no account, and says so", async () => {
    await up(state(info([])));
    const taken = { info: { emails: ["info@lab.test"], secret } };
    await expect(up(state({}, taken))).rejects.toThrow("info is a Group in container test, not an account");
  });

  test("a member of what is no group is refused by the server, and a group with members is not destroyed", async () => {
    await up(state(info(["alice"])));
    const api = new RegistryApi(at.transport(), at.base);
    const [alice, bob] = [String(row("alice")?.["id"]), String(row("bob")?.["id"])];
    for (const id of [bob, "nobody"])
      for (const change of [{ [`memberGroupIds/${id}`]: true }, { memberGroupIds: { [id]: true } }])
        await expect(
          api.set("Account", { update: { [alice]: change } }, { [alice]: "alice" }),
        ).rejects.toThrow("alice: invalidForeignKey: memberGroupIds");
    const group = String(row("info")?.["id"]);
    await expect(api.set("Account", { destroy: [group] }, {})).rejects.toThrow(
      "objectIsLinked: still named by Account",
    );
  });
});

describe("a deploy that was cut off", () => {
  test("lets the next one take out whom either has declared", () => {
    const [before, now] = [state(info(["alice"], { quota: 5 })), state(info(["bob"]))];
    expect(resource().interrupted(now, before).groups).toEqual(info(["alice", "bob"], { quota: 5 }));
  });

  test("after any of its requests is finished by the next, with the members of that one alone", async () => {
    const desired = state(info(["alice", "bob"], { emails: ["info@lab.test", "a@lab.test"] }));
    const { left } = await up(desired);
    let cut: unknown = "none yet";
    let [k, afterMembers] = [0, 0];
    for (; cut !== undefined; k++) {
      at.fake.answersLeft = k;
      cut = await failed(up(state(info(["bob", "carol"])), left));
      at.fake.answersLeft = Number.POSITIVE_INFINITY;
      if (isIn("carol")) afterMembers++;
      const seen =
        cut instanceof PartialError
          ? { ...resource().interrupted(state(info(["bob", "carol"])), left), ...cut.left }
          : left;
      const done = await up(desired, seen);
      expect(await resource().read(done.left), `cut off after ${k}`).toEqual(done.left);
      expect(isIn("alice")).toBe(true);
      if (cut instanceof PartialError) expect(members(), `cut off after ${k}`).toEqual(["alice", "bob"]);
      byHand("carol", { memberGroupIds: {} });
    }
    expect(afterMembers).toBeGreaterThan(1);
  }, 60_000);

  test("by a refused group has made the accounts and the other groups", async () => {
    await up(state({}));
    at.fake.add("MailingList", { name: "info", domainId: domainId("lab.test"), recipients: {} });
    const other = { other: { emails: ["other@lab.test"], members: ["bob"] } };
    const desired = state({ ...info(["alice"]), ...other });
    const error = await failed(up(desired));
    expect(error).toBeInstanceOf(PartialError);
    expect(String(error)).toMatch(/info: primaryKeyViolation/);
    expect((error as PartialError).left).toMatchObject({ passwordsInForce: ["alice", "bob", "carol"] });
    expect(row("other")).toBeDefined();
  });
});

test("the first deploy to a server of somebody else's lists its group and who would see it, and writes nothing", async () => {
  await up(state({}));
  await at.renew();
  at.fake.add("Domain", { name: "lab.test" });
  const of = { domainId: domainId("lab.test"), aliases: {} };
  at.fake.add("Account", { "@type": "Group", name: "info", ...of });
  for (const name of ["alice", "bob"]) at.fake.add("Account", { "@type": "User", name, ...of });
  byHand("bob", { memberGroupIds: { [String(row("info")?.["id"])]: true } });
  const error = String(await failed(up(state(info(["alice", "bob"], { quota: 5 })))));
  expect(error).toContain("\n  change Account/info: quotas");
  expect(error).toContain("\n  change Account/alice: memberGroupIds");
  expect(error).not.toContain("Account/bob");
  expect(at.fake.requests.filter((request) => request.startsWith("set "))).toEqual([]);
});
