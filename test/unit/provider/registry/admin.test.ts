/** The administrator's account of Stalwart 0.16 and later, against the fake of its registry. */
import { expect, test } from "vitest";

import type { RegistryState } from "../../../../provider/registry/state.ts";
import { freshRegistry } from "./fresh-registry.ts";
import { registryObjects } from "./objects.ts";

const hash = (letter: string) => `$2b$12$${letter.repeat(53)}`;

const at = freshRegistry((fake) => void (fake.adminHash = hash("a")));

const resource = () => at.resource();
const state = (secret = hash("a"), domains = ["lab.test"]): RegistryState => ({
  target: { dockerHost: "unix:///none", container: "test", api: at.base },
  accounts: {},
  admin: { name: "admin", secret },
  objects: registryObjects({ domains: domains.map((name) => ({ name })) }),
});

const up = async (desired: RegistryState, previous?: RegistryState) => {
  const said: string[] = [];
  await resource().apply(desired, previous, (message) => void said.push(message));
  return said.join("\n");
};
const accounts = () => at.fake.inForce("Account");
const password = () => (accounts()[0]?.["credentials"] as Record<string, Record<string, unknown>>)["0"];

test("the first deploy makes it, for the machine itself and the tailnet alone, before it leaves the marker", async () => {
  await up(state());
  expect(accounts()).toHaveLength(1);
  expect(accounts()[0]).toMatchObject({ "@type": "User", name: "admin", roles: { "@type": "Admin" } });
  expect(password()).toEqual({
    "@type": "Password",
    secret: hash("a"),
    allowedIps: { "127.0.0.1": true, "::1": true, "100.64.0.0/10": true, "fd7a:115c:a1e0::/48": true },
  });
  const made = at.fake.requests.indexOf("set Account");
  expect(made).toBeLessThan(at.fake.requests.lastIndexOf("set MtaConnectionStrategy"));
  expect(at.fake.lastResort).toBe(false);
});

test("the next deploy writes nothing, and restarts nothing", async () => {
  await up(state());
  at.fake.restarts = 0;
  expect(await up(state(), state())).toContain("0 written");
  expect(at.fake.restarts).toBe(0);
});

test("a new password is written, and one that was set by hand is put back with a restart", async () => {
  await up(state());
  at.fake.adminHash = hash("b");
  await up(state(hash("b")), state());
  expect(password()?.["secret"]).toBe(hash("b"));

  const byHand = { credentials: { 0: { "@type": "Password", secret: hash("c"), allowedIps: {} } } };
  at.fake.edit("Account", () => true, byHand);
  at.fake.restart();
  expect(at.fake.lastResort).toBe(true);
  expect(await resource().trace.isApplied(state(hash("b")))).toBe(false);
  await up(state(hash("b")), state(hash("b")));
  expect(at.fake.lastResort).toBe(false);
  expect(await resource().trace.isApplied(state(hash("b")))).toBe(true);
  expect(Object.keys(password()?.["allowedIps"] as object)).toContain("100.64.0.0/10");
});

test("another default domain gets its own before the reload, after which the name stands for that one", async () => {
  const both = state(hash("a"), ["new.test", "lab.test"]);
  await up(state());
  at.fake.requests.length = 0;
  await up(both, state());
  expect(accounts()).toHaveLength(2);
  expect(at.fake.requests.indexOf("set Account")).toBeLessThan(at.fake.requests.indexOf("set Action"));
});

test("somebody else's account of that name is left alone, and named", async () => {
  await up({ ...state(), admin: { name: "alice", secret: hash("a") } });
  at.fake.edit("Account", () => true, { roles: { "@type": "User" } });
  const failed = up({ ...state(), admin: { name: "alice", secret: hash("b") } }, state());
  await expect(failed).rejects.toThrow(/alice in container test is somebody else's/);
  expect(password()?.["secret"]).toBe(hash("a"));
});

test("no hash is shown: neither in what is said nor in a refusal of the inputs", async () => {
  expect(await up(state())).not.toContain("$2b$");
  const inputs = { ...state("opensesame") } as unknown as Record<string, unknown>;
  const failures = resource().check(resource().withDefaults(inputs));
  expect(failures.map(({ property }) => property)).toEqual(["admin.secret"]);
  expect(JSON.stringify(failures)).not.toContain("opensesame");
});
