/** Groups on Stalwart 0.16 and later, against the fake of its registry. */
import { afterEach, beforeEach, expect, test } from "vitest";

import { RegistryResource } from "../../../provider/registry/resource.ts";
import type { RegistryState } from "../../../provider/registry/state.ts";
import type { GroupState } from "../../../provider/state.ts";
import { FakeRegistry } from "../../fakes/fake-registry.ts";
import { registryTransport } from "../../fakes/fake-transport.ts";
import { registryObjects } from "./registry-objects.ts";

let fake: FakeRegistry;
let base: string;
beforeEach(async () => {
  fake = new FakeRegistry();
  base = await fake.listen();
});
afterEach(() => fake.close());

const secret = `$2b$12$${"a".repeat(53)}`;
const resource = () => new RegistryResource(() => registryTransport(() => fake));
const state = (groups: Record<string, GroupState>): RegistryState => ({
  target: { dockerHost: "unix:///none", container: "test", api: base },
  objects: registryObjects(),
  accounts: Object.fromEntries(
    ["alice", "bob", "carol"].map((name) => [name, { emails: [`${name}@lab.test`], secret }]),
  ),
  groups,
});
const support = (members: string[], more: Partial<GroupState> = {}) => ({
  support: { emails: ["support@lab.test"], members, ...more },
});
const up = async (groups: Record<string, GroupState>, previous?: RegistryState) => {
  const said: string[] = [];
  const left = await resource().apply(state(groups), previous, (words) => void said.push(words));
  return { left, said: said.join("\n") };
};
const row = (name: string) => fake.inForce("Account").find((each) => each["name"] === name);
const members = () =>
  ["alice", "bob", "carol"].filter(
    (name) => String(row("support")?.["id"]) in ((row(name)?.["memberGroupIds"] ?? {}) as object),
  );

test("a group is made with its members before the marker, and a second up writes nothing", async () => {
  const { left } = await up(support(["alice", "bob"], { emails: ["support@lab.test", "help@lab.test"] }));
  expect(row("support")).toMatchObject({ "@type": "Group", aliases: { 0: { name: "help" } } });
  expect(members()).toEqual(["alice", "bob"]);
  expect(fake.requests.lastIndexOf("set Account")).toBeLessThan(
    fake.requests.lastIndexOf("set MtaConnectionStrategy"),
  );
  fake.requests.length = 0;
  expect((await up(left.groups as never, left)).said).toContain("0 written");
  expect(await resource().read(left)).toEqual(left);
});

test("who is declared no more is taken out, and who was put in by hand stays", async () => {
  const { left } = await up(support(["alice", "bob"]));
  const byHand = { memberGroupIds: { [String(row("support")?.["id"])]: true } };
  fake.edit("Account", ({ name }) => name === "carol", byHand);
  await up(support(["alice"]), left);
  expect(members()).toEqual(["alice", "carol"]);
});

test("who was taken out by hand shows as a difference, and is put back", async () => {
  const { left } = await up(support(["alice", "bob"]));
  fake.edit("Account", ({ name }) => name === "bob", { memberGroupIds: {} });
  const seen = await resource().read(left);
  expect(seen?.groups).toEqual(support(["alice"]));
  await up(support(["alice", "bob"]), seen);
  expect(members()).toEqual(["alice", "bob"]);
});

test("one that is declared no more stays, with its mail and its members", async () => {
  const { left } = await up(support(["alice"]));
  await up({}, left);
  expect(members()).toEqual(["alice"]);
});

test("who a cut-off deploy may have put in is taken out by the next one that does not declare it", async () => {
  const { left } = await up(support(["alice"]));
  const cut = resource().interrupted(state(support(["alice", "bob"])), left);
  await up(support(["alice", "bob"]), left);
  await up(support(["alice"]), cut);
  expect(members()).toEqual(["alice"]);
});

test("an account of its name is refused, and the other way round", async () => {
  const { left } = await up(support(["alice"]));
  await expect(up({ alice: { emails: ["alice@lab.test"], members: ["bob"] } }, left)).rejects.toThrow(
    "alice is a User in container test, not a group",
  );
  const accounts = { support: { emails: ["support@lab.test"], secret } };
  await expect(resource().apply({ ...state({}), accounts }, left, () => undefined)).rejects.toThrow(
    "support is a Group in container test, not an account",
  );
});
