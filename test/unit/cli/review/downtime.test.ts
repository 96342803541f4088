import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { readRecord } from "../../../../cli/faults/record.ts";
import { downtimeOf, longest, type Role } from "../../../../cli/review/downtime.ts";

const of = (role: Role, op = "replace") => ({ part: { role, op, name: role } });
/** Seconds for which mail was refused, rounded up; a fault that was never measured is a failure. */
function inRecord(fault: string): number {
  const row = readRecord().find((each) => each.fault === fault);
  if (!row) throw new Error(`docs/reliability.json has no ${fault}: npm run lab -- faults ${fault} --record`);
  return Math.ceil(row.refusing);
}
const PROJECT = join(import.meta.dirname, "../../../..");

describe("how long mail is down", () => {
  test.each<[Role, string, number | undefined]>([
    ["anchor", "replace", inRecord("anchor-replaced")],
    ["network", "replace", inRecord("anchor-replaced")],
    ["sidecar", "replace", inRecord("sidecar-replaced")],
    ["stalwart", "replace", inRecord("stalwart-replaced")],
    ["edge", "replace", inRecord("edge-replaced")],
    ["files", "replace", 0],
    ["reload", "replace", 0],
    ["reload", "update", 0],
    ["settings", "update", inRecord("settings-changed")],
    ["settings", "replace", inRecord("settings-changed")],
    ["container", "replace", undefined],
    ["stalwart", "delete", undefined],
    ["edge", "delete", undefined],
  ])("when the part %s sees a step %s: %s s", (role, op, seconds) => {
    const [found] = downtimeOf([of(role, op)]);
    expect(found).toBeDefined();
    expect(found?.seconds).toBe(seconds);
    expect(found?.basis === "unknown").toBe(seconds === undefined);
  });

  test.each<[Role, string]>([
    ["anchor", "create"],
    ["stalwart", "create"],
    ["sidecar", "update"],
    ["files", "delete"],
    ["container", "delete"],
  ])("the part %s costs nothing at a step %s", (role, op) => {
    expect(downtimeOf([of(role, op)])).toEqual([]);
  });

  test("the longest counts, since parts are replaced within each other; the dearest stands first", () => {
    const found = downtimeOf([of("edge"), of("anchor"), of("files"), {}]);
    expect(found.map(({ name }) => name)).toEqual(["anchor", "edge", "files"]);
    expect(longest(found)).toBe(found[0]?.seconds);
  });

  test("without an end that is known, the whole has none", () => {
    expect(longest(downtimeOf([of("edge"), of("stalwart", "delete")]))).toBeUndefined();
    expect(longest([])).toBe(0);
  });
});

describe("the figures", () => {
  const ROLES: Role[] = [
    "anchor",
    "sidecar",
    "stalwart",
    "edge",
    "files",
    "container",
    "settings",
    "reload",
    "network",
  ];
  const all = ROLES.flatMap((role) => downtimeOf([of(role), of(role, "update"), of(role, "delete")]));

  test("name the test that holds them, or the page with the measurement", () => {
    for (const { basis, source, effect } of all)
      expect(source !== undefined, effect).toBe(["at most", "measured"].includes(basis));
    for (const { source } of all) if (source) expect(existsSync(join(PROJECT, source)), source).toBe(true);
  });

  test("of docs/review.md are these", () => {
    const page = readFileSync(join(PROJECT, "docs/review.md"), "utf8");
    for (const role of ["anchor", "sidecar", "stalwart", "edge"] as const) {
      const { source, basis } = downtimeOf([of(role)])[0] ?? {};
      expect(page).toMatch(
        new RegExp(`^\\| ${role} \\|.*\\| ${basis} \\(\\[where\\]\\(${source?.slice(5)}\\)`, "m"),
      );
    }
  });
});
