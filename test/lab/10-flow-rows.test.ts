// Lesson 11 on the lab's deployed stack: the policy is not fed by the flow table. Whichever row's
// grant is taken from the deployed policy file, the stack's own resources still say that it is
// needed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parse } from "jsonc-parser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { mustPulumi } from "../../cli/parts/pulumi-cli.ts";
import type { Report } from "../../cli/review/model.ts";
import type { Flow } from "../../lib/tailnet/flows.ts";
import type { Grant } from "../../lib/tailnet/grants.ts";
import { stack } from "./lab.ts";
import { LAB } from "./setup.ts";

const PROJECT = join(import.meta.dirname, "..", "..");
const POLICY = "tailnet-flows-granted";
const RELAY = 587;

interface Resource {
  type: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}
interface State {
  deployment: { resources: Resource[] };
}

let folder: string;
let exported: string;
let flows: Flow[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-rows-"));
  exported = (await mustPulumi(stack, ["stack", "export", "--stack", LAB])).stdout;
  flows = of(JSON.parse(exported) as State, "tailwart:mail:TailnetPolicy").inputs?.["flows"] as Flow[];
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function of({ deployment }: State, type: string): Resource {
  const found = deployment.resources.find((resource) => resource.type === type);
  if (!found) throw new Error(`the lab's stack has no ${type}`);
  return found;
}

/**
 * The deployed policy file without one row of the table; the table itself is taken out of the state
 * as well.
 */
function without(row: Flow | undefined): string {
  const state = JSON.parse(exported) as State;
  const acl = of(state, "tailscale:index/acl:Acl");
  const policy = parse(String(acl.inputs?.["acl"])) as { grants: Grant[] };
  const isRows = ({ src, dst }: Grant) => row !== undefined && src.includes(row.from) && dst.includes(row.to);
  const grants = policy.grants
    .map((grant) =>
      isRows(grant) ? { ...grant, ip: grant.ip.filter((ip) => ip !== `tcp:${row?.port}`) } : grant,
    )
    .filter(({ ip }) => ip.length > 0);
  for (const side of [acl.inputs, acl.outputs]) if (side) side["acl"] = JSON.stringify({ ...policy, grants });
  const table = of(state, "tailwart:mail:TailnetPolicy");
  for (const side of [table.inputs, table.outputs]) if (side) delete side["flows"];
  const file = join(folder, "state.json");
  writeFileSync(file, JSON.stringify(state));
  return file;
}

/**
 * What the audit of a state says about flows; the secrets in the file are closed, and other
 * policies cannot judge those.
 */
function audit(file: string): Pick<Report, "violations" | "notJudged"> {
  const args = [join(PROJECT, "cli", "audit.ts"), "--file", file, "--out", folder, "--json"];
  args.push("--policy-config", stack.policyConfigFile);
  const done = spawnSync(process.execPath, args, { cwd: PROJECT, encoding: "utf8", maxBuffer: 2 ** 26 });
  expect(done.stdout, done.stderr).toMatch(/^\{/);
  const { violations, notJudged } = JSON.parse(done.stdout) as Report;
  return { violations, notJudged: notJudged.filter(({ policy }) => policy === POLICY) };
}

describe("the lab's deployed stack", () => {
  test("with every row granted violates nothing", () => {
    expect(flows.length).toBeGreaterThan(7);
    expect(audit(without(undefined))).toEqual({ violations: [], notJudged: [] });
  });

  test("without any one row's grant violates tailnet-flows-granted, which names the flow", () => {
    const rows = process.env["TAILWART_FULL"] === "1" ? flows : flows.filter(({ port }) => port === RELAY);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      const { violations, notJudged } = audit(without(row));
      expect(violations.map(({ policy }) => policy)).toEqual([POLICY]);
      expect(JSON.stringify(violations)).toContain(`tcp:${row.port}`);
      expect(JSON.stringify(violations)).toContain(row.to);
      expect(notJudged).toEqual([]);
    }
  }, 200_000);
});
