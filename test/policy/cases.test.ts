import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { TestResource } from "./harness.ts";
import { revived, sayAll } from "./whole-pack.ts";

/**
 * What people really write, by public files and bug reports: one file a case, with its source, what
 * happened to them, and all that the whole pack says of it. `fires` and `notJudged` are
 * `policy @ resource`; of what is not judged the listed is the least.
 */
interface Case {
  readonly source: string;
  readonly happened: string;
  readonly expected: string;
  readonly fires: readonly string[];
  readonly notJudged?: readonly string[];
  /** Policies that may say something besides. */
  readonly may?: readonly string[];
  /** Policy → its settings. */
  readonly config?: Readonly<Record<string, Record<string, unknown>>>;
  readonly resources: readonly TestResource[];
}

const FOLDER = new URL("./cases/", import.meta.url);

test.each(readdirSync(FOLDER).map((file) => file.replace(".yaml", "")))("%s", async (name) => {
  const text = readFileSync(new URL(`${name}.yaml`, FOLDER), "utf8");
  const one = revived(parse(text)) as Case;
  const said = await sayAll(one.resources, one.config);
  const fires = said
    .flatMap(({ policy, resource, outcome }) => outcome.violations.map(() => `${policy} @ ${resource}`))
    .sort();
  const mayFire = (at: string) => one.may?.some((policy) => at.startsWith(`${policy} @`)) ?? false;
  // What may fire counts only as far as it is among what must.
  const open = [...one.fires];
  const counted = fires.filter((at) => {
    const index = open.indexOf(at);
    if (index >= 0) open.splice(index, 1);
    return index >= 0 || !mayFire(at);
  });
  expect(counted).toEqual([...one.fires].sort());
  const unjudged = said.filter(({ outcome }) => outcome.notJudged.length > 0);
  expect(unjudged.map(({ policy, resource }) => `${policy} @ ${resource}`)).toEqual(
    expect.arrayContaining([...(one.notJudged ?? [])]),
  );
  expect(said.filter(({ outcome }) => outcome.blind !== undefined)).toEqual([]);
});
