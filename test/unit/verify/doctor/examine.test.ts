import { expect, test } from "vitest";

import { type Check, fail, type Finding, ok, warn, withNeeds } from "../../../../verify/check.ts";
import { examine } from "../../../../verify/doctor/examine.ts";
import { Scene } from "../../../../verify/scene.ts";

const SCENE = new Scene({
  kvm: { dockerHost: "unix:///x", sidecar: "sidecar", stalwart: "st" },
  postgres: { host: "db", port: 5432 },
  relay: { host: "relay", port: 587 },
  node: "stalwart",
});

const check = (id: string, needs: string[], look: () => Promise<Finding> | Finding, seconds = 10): Check => ({
  id,
  from: "operator",
  needs,
  lesson: "docs/operate.md",
  seconds,
  look: async () => look(),
});
const holding = (id: string, ...needs: string[]) => check(id, needs, () => ok("fine"));
const silent = (id: string, seconds: number, ...needs: string[]) =>
  check(id, needs, () => new Promise<Finding>(() => undefined), seconds);

const stateOf = async (checks: Check[], options = {}) =>
  Object.fromEntries((await examine(checks, SCENE, options)).map((row) => [row.id, row]));

test("what a failed check causes is not asked, and is laid to the first cause", async () => {
  let asked = false;
  const rows = await stateOf([
    check("a", [], () => fail("down")),
    holding("b", "a"),
    check("c", ["b"], () => ((asked = true), ok("fine"))),
    holding("d"),
  ]);
  expect(asked).toBe(false);
  expect(rows).toMatchObject({
    a: { state: "fail", seen: "down" },
    b: { state: "unknown", because: "a" },
    c: { state: "unknown", because: "a" },
    d: { state: "ok" },
  });
});

test("a warning holds, so what needs it is asked", async () => {
  expect(await stateOf([check("a", [], () => warn("soon")), holding("b", "a")])).toMatchObject({
    a: { state: "warn" },
    b: { state: "ok" },
  });
});

test("what gives no answer in its time, or throws, is unknown", async () => {
  const rows = await stateOf([
    silent("slow", 0.05),
    check("throws", [], () => {
      throw new Error("no such file");
    }),
  ]);
  expect(rows["slow"]).toMatchObject({ state: "unknown", seen: "no answer within 0.1 s" });
  expect(rows["throws"]).toMatchObject({ state: "unknown", seen: "no such file" });
});

test("a hundred checks without an answer end together when the time for all is over", async () => {
  const start = Date.now();
  const checks = Array.from({ length: 100 }, (_, i) => silent(`s${i}`, 10));
  const rows = await examine(checks, SCENE, { within: 200 });
  expect(rows.every(({ state }) => state === "unknown")).toBe(true);
  expect(Date.now() - start).toBeLessThan(2_000);
});

test("no more are asked at once than is allowed", async () => {
  let now = 0;
  let most = 0;
  const busy = (id: string) =>
    check(id, [], async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
      return ok("fine");
    });
  await examine(
    Array.from({ length: 20 }, (_, i) => busy(String(i))),
    SCENE,
    { atOnce: 3 },
  );
  expect(most).toBe(3);
});

test("checks are put behind what they need, and a circle or a stranger among these is an error", () => {
  const all = [holding("c", "b"), holding("b", "a"), holding("a")];
  expect(withNeeds(all, ["c"]).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  expect(withNeeds(all, ["b"]).map(({ id }) => id)).toEqual(["a", "b"]);
  expect(() => withNeeds([holding("a", "b"), holding("b", "a")], ["a"])).toThrow("a → b → a");
  expect(() => withNeeds([holding("a", "x")], ["a"])).toThrow('no check "x"');
});
