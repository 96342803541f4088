import { describe, expect, test } from "vitest";

import { allFields } from "../../../../lib/desired-state/field-reference.ts";
import { type Cell, settingsMatrix } from "../../../../lib/desired-state/support-matrix.ts";
import { settingsSchema } from "../../../../lib/desired-state/schema.ts";

const matrix = settingsMatrix();
const where = (generation: "keys" | "registry", wanted: (cell: Cell) => boolean) =>
  matrix.filter(({ cells }) => wanted(cells[generation])).map(({ path }) => path);

test("every key at the top of the desired state has its fields in the matrix", () => {
  const tops = new Set(matrix.map(({ keys }) => keys[0]));
  expect([...tops]).toEqual(Object.keys(settingsSchema.shape));
});

test("every field goes somewhere or is refused, in either generation; these are the only ones that a server is not told", () => {
  const silent = (cell: Cell) => cell.places.length === 0 && cell.otherwise !== "refused";
  expect(where("keys", silent)).toEqual(["tailnetDomain"]);
  expect(where("registry", silent)).toEqual([
    "tailnetDomain",
    "acme[].id",
    "acme[].default",
    "accounts[].name",
    "groups[].name",
  ]);
});

test("what a generation refuses is refused with a reason, and another generation takes it", () => {
  const refused = (cell: Cell) => cell.otherwise === "refused";
  expect(where("keys", refused)).toEqual(
    [
      "domains[].publishRecords",
      "autoBan.expireAfter",
      "dnsProvider(spaceship).type",
      "dnsProvider(spaceship).apiKey",
      "dnsProvider(spaceship).secretFile",
    ].sort((a, b) => matrix.findIndex((r) => r.path === a) - matrix.findIndex((r) => r.path === b)),
  );
  expect(where("registry", refused)).toEqual([
    "inMemoryStore.auth.username",
    "inMemoryStore.auth.secretFile",
    "dnsProvider(cloudflare).email",
  ]);
  for (const { path, cells } of matrix) {
    for (const cell of Object.values(cells)) if (refused(cell)) expect(cell.why, path).toMatch(/accepts /);
    expect(Object.values(cells).every(refused), path).toBe(false);
  }
});

test("a value that one generation alone offers is named as the exception that it is", () => {
  const challenge = matrix.find(({ path }) => path === "acme[].challenge");
  expect(challenge?.cells.keys.except.map(({ value }) => value)).toEqual(["dns-persist-01"]);
  expect(challenge?.cells.registry.except).toEqual([]);
});

describe("secrets", () => {
  test("are declared as files of the container, in every place that a server reads one from", () => {
    const files = allFields().filter(({ path }) => /[fF]ile$/.test(path));
    expect(files.length).toBeGreaterThan(10);
    for (const { path, examples } of files)
      for (const example of examples) expect(example, path).toMatch(/^\/etc\/stalwart\/secrets\//);
  });

  test("go into the config file of the 0.15 line, since in its data store a macro is not expanded", () => {
    const placed = where("keys", ({ places }) => places.includes("API")).filter((path) => /File$/.test(path));
    expect(placed).toEqual([]);
  });
});
