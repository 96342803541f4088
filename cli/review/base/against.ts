import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, isAbsolute, join, relative, resolve } from "node:path";

import { PROJECT } from "../../parts/pulumi-cli.ts";
import { openTemporaryStack, type StackSource } from "../engine.ts";
import { type OpenStack, preview } from "../engine-runs.ts";
import { type Report, reportOf } from "../model.ts";
import type { Reviewed } from "../write-report.ts";
import { policyFileIn } from "../policy-file.ts";
import { selected, type Selection } from "../selection.ts";
import { stackFileOf, stackFilesOf } from "../stack-files.ts";
import { type Checkout, checkOut } from "./checkout.ts";
import { comparedWith, withoutFile } from "./compare.ts";
import { differenceOf, pluginsOf } from "./difference.ts";
import { replacingInputs } from "./schemas.ts";
import { type Snapshot, snapshotOf } from "./snapshot.ts";

/** A preview from nothing: what is told of it, and what it would make. */
interface Side {
  readonly report: Report;
  readonly code: number;
  readonly snapshot: Snapshot;
  readonly policyFile?: string;
}

/**
 * Reviews stacks as they are in the working tree, and what that changes of those at `ref`. Both are
 * previewed from nothing: no state, no login, no host.
 *
 * @throws UserError when there is no such commit, program or stack
 */
export async function reviewAgainst(
  ref: string,
  selection: Selection,
  policyConfig?: string,
): Promise<Reviewed[]> {
  const head = selected(selection);
  const checkout = await checkOut(ref, selection.project);
  try {
    const reviewed: Reviewed[] = [];
    for (const source of head) reviewed.push(await compareStack(source, checkout, selection, policyConfig));
    return [...reviewed, ...goneStacks(head, checkout, selection)];
  } finally {
    await checkout.remove();
  }
}

async function compareStack(
  source: StackSource,
  checkout: Checkout,
  selection: Selection,
  policyConfig?: string,
): Promise<Reviewed> {
  const { ref, commit, project } = checkout;
  const { stack, configFile } = source;
  console.error(`… previewing the stack ${stack}, as it is and at ${ref}`);
  const before = sourceAt(source, checkout, selection);
  const opened = await openTemporaryStack(source);
  try {
    const folders = [project, source.project, PROJECT];
    const head = await sideOf(opened, folders, policyConfig);
    const base = before && (await baseSide(before, folders, policyConfig));
    const old: Snapshot = base?.snapshot ?? new Map();
    const replacing = await replacingInputs(opened, pluginsOf(old, head.snapshot));
    const changes = differenceOf(old, head.snapshot, replacing);
    const left = changes.filter(({ op }) => op !== "delete").length;
    const comparison = {
      ref,
      commit,
      base: base?.report,
      changes,
      unchanged: head.snapshot.size - left,
    };
    const report = comparedWith(head.report, comparison);
    const { code, policyFile } = head;
    return {
      report,
      code,
      ...(configFile !== undefined && { configFile }),
      ...(policyFile !== undefined && { policyFile }),
    };
  } finally {
    await opened.remove();
  }
}

/** The base is judged by its own pack, where it is a tailwart: what it let pass was let pass. */
async function baseSide(
  source: StackSource,
  folders: readonly string[],
  policyConfig?: string,
): Promise<Side> {
  const pack = join(source.project, "policies", "tailwart-policies");
  const opened = await openTemporaryStack(source);
  try {
    const own = existsSync(pack) ? { ...opened, policyPack: pack } : opened;
    return await sideOf(own, folders, policyConfig);
  } finally {
    await opened.remove();
  }
}

async function sideOf(opened: OpenStack, folders: readonly string[], policyConfig?: string): Promise<Side> {
  const folder = await mkdtemp(join(tmpdir(), "tailwart-plan-"));
  try {
    const plan = join(folder, "plan.json");
    const { events, code, stderr } = await preview(opened, policyConfig, plan);
    const planText = existsSync(plan) ? await readFile(plan, "utf8") : "";
    const report = reportOf(events, { kind: "review", stack: opened.stack, code, stderr, folders });
    const policyFile = policyFileIn(events);
    const snapshot = snapshotOf(events, planText, opened.project);
    return { report, code, snapshot, ...(policyFile !== undefined && { policyFile }) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same stack at the base; undefined: it has none there. */
function sourceAt(
  { stack, configFile }: StackSource,
  { project }: Checkout,
  selection: Selection,
): StackSource | undefined {
  if (!existsSync(join(project, "Pulumi.yaml"))) return undefined;
  if (configFile === undefined) return { stack, project };
  // One outside of the program's folder is no part of the change.
  const inside = relative(selection.project, configFile);
  const outside = inside.startsWith("..") || isAbsolute(inside);
  const own = selection.configFile === undefined ? stackFileOf(project, stack) : join(project, inside);
  const file = outside ? resolve(configFile) : own;
  return existsSync(file) ? { stack, project, configFile: file } : undefined;
}

/** Stacks whose file the change takes away, where all are reviewed. */
function goneStacks(head: readonly StackSource[], checkout: Checkout, selection: Selection): Reviewed[] {
  const { ref, commit, project } = checkout;
  if (selection.stack !== undefined) return [];
  const left = new Set(head.map(({ stack }) => stack));
  const gone = stackFilesOf(project).filter(({ stack }) => !left.has(stack));
  return gone.map(({ stack, configFile }) => ({
    report: withoutFile(stack, basename(configFile), { ref, commit }),
    code: 0,
  }));
}
