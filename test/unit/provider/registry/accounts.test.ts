/** People's accounts on Stalwart 0.16 and later, against the fake of its registry. */
import { describe, expect, test } from "vitest";

import { PartialError } from "../../../../provider/plugin/partial-error.ts";
import type { AccountState } from "../../../../provider/server/state.ts";
import type { RegistryState } from "../../../../provider/registry/state.ts";
import { RegistryResource } from "../../../../provider/registry/resource.ts";
import { freshRegistry } from "./fresh-registry.ts";
import { registryObjects } from "./objects.ts";

const hash = (letter: string) => `$2b$12$${letter.repeat(53)}`;
const alice = (more: Partial<AccountState> = {}): AccountState => ({
  emails: ["alice@lab.test"],
  secret: hash("a"),
  ...more,
});

const at = freshRegistry();

const resource = () => at.resource();
const state = (accounts: RegistryState["accounts"]): RegistryState => ({
  target: { dockerHost: "unix:///none", container: "test", api: at.base },
  accounts,
  objects: registryObjects({ domains: [{ name: "lab.test" }, { name: "second.test" }] }),
});
const up = async (accounts: RegistryState["accounts"], previous?: RegistryState) => {
  const said: string[] = [];
  const left = await resource().apply(state(accounts), previous, (words) => void said.push(words));
  return { left, said: said.join("\n") };
};
const row = (name: string) => at.fake.inForce("Account").find((each) => each["name"] === name);
const password = (name: string) =>
  (row(name)?.["credentials"] as Record<string, Record<string, unknown>>)["0"]?.["secret"];
const aliases = (name: string) =>
  Object.values((row(name)?.["aliases"] ?? {}) as Record<string, Record<string, unknown>>).map(
    (alias) => alias["name"],
  );

test("are made before the marker is left: from then on mail is let in, and one for nobody is refused for good", async () => {
  const { left } = await up({ alice: alice({ emails: ["alice@lab.test", "post@second.test"] }) });
  expect(left.passwordsInForce).toEqual(["alice"]);
  const domains = at.fake.inForce("Domain");
  const idOf = (name: string) => domains.find((domain) => domain["name"] === name)?.["id"];
  expect(row("alice")).toMatchObject({
    "@type": "User",
    domainId: idOf("lab.test"),
    roles: { "@type": "User" },
    aliases: { 0: { enabled: true, name: "post", domainId: idOf("second.test") } },
  });
  expect(password("alice")).toBe(hash("a"));
  expect(at.fake.requests.indexOf("set Account")).toBeLessThan(
    at.fake.requests.lastIndexOf("set MtaConnectionStrategy"),
  );
});

test("that are all there cost no write, and as many requests for forty as for one", async () => {
  const people = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`p${i}`, alice({ emails: [`p${i}@lab.test`] })]),
  );
  const { left } = await up(people);
  at.fake.requests.length = 0;
  at.fake.answers = 0;
  expect((await up(people, left)).said).toContain("0 written");
  const withForty = at.fake.answers;
  await up({ p0: alice({ emails: ["p0@lab.test"] }) }, left);
  // Of a server's sixteen calls a request.
  expect(withForty - (at.fake.answers - withForty)).toBeLessThanOrEqual(2);
  expect(at.fake.requests.filter((request) => request === "set Account")).toEqual([]);
});

describe("a password", () => {
  test("that its owner has changed is not put back, and stays no difference", async () => {
    const { left } = await up({ alice: alice() });
    const own = { credentials: { 0: { "@type": "Password", secret: hash("o") } } };
    at.fake.edit("Account", (account) => account["name"] === "alice", own);
    expect(await resource().read(left)).toEqual(left);
    await up({ alice: alice() }, left);
    expect(password("alice")).toBe(hash("o"));
  });

  test("is set when another one is declared", async () => {
    const { left } = await up({ alice: alice() });
    const next = await up({ alice: alice({ secret: hash("b") }) }, left);
    expect(password("alice")).toBe(hash("b"));
    expect(next.left.passwordsInForce).toEqual(["alice"]);
  });

  test("is not set at an account that was there before, and its command is said", async () => {
    await up({ alice: alice({ secret: hash("o") }) });
    const { left, said } = await up({ alice: alice() });
    expect(password("alice")).toBe(hash("o"));
    expect(left.passwordsInForce).toEqual([]);
    expect(said).toContain("pulumi up --replace '**RandomPassword::*-account-alice'");
    expect((await up({ alice: alice() }, left)).said).not.toContain("was there before");
  });

  test("that a deploy has written is known where the state is lost, and its hash stands nowhere else", async () => {
    await up({ alice: alice(), bob: alice({ emails: ["bob@lab.test"] }) });
    const { left, said } = await up({ alice: alice(), bob: alice({ emails: ["bob@lab.test"] }) });
    expect(left.passwordsInForce).toEqual(["alice", "bob"]);
    expect(said).not.toContain("was there before");
    expect(JSON.stringify(at.fake.inForce("MtaConnectionStrategy"))).not.toContain(hash("a").slice(7));
  });

  test("that was replaced is known by its successor alone", async () => {
    const { left } = await up({ alice: alice() });
    await up({ alice: alice({ secret: hash("b") }) }, left);
    expect((await up({ alice: alice({ secret: hash("b") }) })).left.passwordsInForce).toEqual(["alice"]);
    expect((await up({ alice: alice() })).left.passwordsInForce).toEqual([]);
  });

  test("is known after a destroy, which leaves the account", async () => {
    const { left } = await up({ alice: alice() });
    await resource().delete(left, () => undefined);
    expect((await up({ alice: alice() })).left.passwordsInForce).toEqual(["alice"]);
  });
});

describe("addresses", () => {
  test("that are declared no more go, those that were added by hand stay", async () => {
    const { left } = await up({ alice: alice({ emails: ["alice@lab.test", "a@lab.test", "b@lab.test"] }) });
    const domainId = row("alice")?.["domainId"];
    const live = row("alice")?.["aliases"] as Record<string, unknown>;
    const byHand = { aliases: { ...live, 2: { enabled: true, name: "hand", domainId } } };
    at.fake.edit("Account", (account) => account["name"] === "alice", byHand);
    await up({ alice: alice({ emails: ["alice@lab.test", "b@lab.test", "c@lab.test"] }) }, left);
    expect(aliases("alice")).toEqual(["b", "hand", "c"]);
  });

  test("that were taken away by hand show as a difference, and are put back", async () => {
    const people = { alice: alice({ emails: ["alice@lab.test", "a@lab.test"] }) };
    const { left } = await up(people);
    at.fake.edit("Account", (account) => account["name"] === "alice", { aliases: {} });
    const seen = await resource().read(left);
    expect(seen?.accounts).toEqual({ alice: alice() });
    await up(people, seen);
    expect(aliases("alice")).toEqual(["a"]);
  });
});

describe("a quota", () => {
  const quotas = () => row("alice")?.["quotas"];

  test("is written, put back where it was changed by hand, and goes with its declaration; others stay", async () => {
    const limited = { alice: alice({ quota: 5_000_000 }) };
    const { left } = await up(limited);
    expect(quotas()).toEqual({ maxDiskQuota: 5_000_000 });
    const byHand = { quotas: { maxDiskQuota: 7, maxEmails: 3 } };
    at.fake.edit("Account", (account) => account["name"] === "alice", byHand);
    const seen = await resource().read(left);
    expect(seen?.accounts["alice"]?.quota).toBe(7);
    await up(limited, seen);
    expect(quotas()).toEqual({ maxDiskQuota: 5_000_000, maxEmails: 3 });
    await up({ alice: alice() }, left);
    expect(quotas()).toEqual({ maxEmails: 3 });
  });

  test("that was set by hand is left alone where none is declared", async () => {
    const { left } = await up({ alice: alice() });
    at.fake.edit("Account", (account) => account["name"] === "alice", { quotas: { maxDiskQuota: 7 } });
    expect(await resource().read(left)).toEqual(left);
    await up({ alice: alice() }, left);
    expect(quotas()).toEqual({ maxDiskQuota: 7 });
  });
});

test("one taken from the map stays, with its mail; one that was destroyed by hand is made anew", async () => {
  const { left } = await up({ alice: alice() });
  const { left: none } = await up({}, left);
  expect(row("alice")).toBeDefined();
  expect(none.accounts).toEqual({});
  at.fake.edit("Account", (account) => account["name"] === "alice", undefined);
  expect((await resource().read(left))?.accounts).toEqual({});
  await up({ alice: alice() }, await resource().read(left));
  expect(password("alice")).toBe(hash("a"));
});

test("of those that a server refuses one, the others are made, and the state knows whose passwords are set", async () => {
  const taken = { bob: alice({ emails: ["bob@lab.test", "alice@lab.test"] }), alice: alice() };
  const failed = await up(taken).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failed).toBeInstanceOf(PartialError);
  expect(String(failed)).toContain("primaryKeyViolation");
  const { left } = failed as PartialError;
  expect(Object.keys((left?.["accounts"] ?? {}) as object)).toEqual(["bob"]);
  const desired = state(taken);
  const seen = { ...resource().interrupted(desired, undefined), ...left };
  const next = await up({ ...taken, alice: alice({ emails: ["alice2@lab.test"] }) }, seen);
  expect(next.left.passwordsInForce).toEqual(["bob", "alice"]);
  expect(next.said).not.toContain("was there before");
});

test("a deploy whose restart fails has made them: the next one knows whose passwords it has set", async () => {
  const transport = at.transport();
  const broken = { ...transport, restart: () => Promise.resolve({ status: 1, stdout: "", stderr: "no" }) };
  const desired = state({ alice: alice() });
  const cut = new RegistryResource(() => broken).apply(desired, undefined, () => undefined);
  const failed = await cut.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failed).toBeInstanceOf(PartialError);
  const seen = { ...resource().interrupted(desired, undefined), ...(failed as PartialError).left };
  const { left, said } = await up({ alice: alice() }, seen);
  expect(left.passwordsInForce).toEqual(["alice"]);
  expect(said).not.toContain("was there before");
});
