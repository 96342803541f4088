import { existsSync, readFileSync } from "node:fs";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";

import { printable } from "../../lib/printable.ts";
import { onOneLine, wrap } from "../../lib/wrap.ts";
import { allPolicies } from "../../policies/rules/index.ts";
import { PROJECT } from "../parts/pulumi-cli.ts";
import type { Change } from "./changes.ts";
import { headline, toMarkdown } from "./markdown.ts";
import { isMandatory, nameOf, type Report } from "./model.ts";
import { type Sources, toSarif } from "./sarif.ts";

/** A report, and what the command that made it knows besides. */
export interface Reviewed {
  readonly report: Report;
  /** Exit code of the engine. */
  readonly code: number;
  /** The stack's config file, where it has one. */
  readonly configFile?: string;
  /** The tailnet policy file that the stack would have, with its tests. */
  readonly policyFile?: string;
}

export interface Written {
  readonly markdown: string;
  readonly sarif: string;
}

/**
 * Where reports go unless somebody says otherwise: not into the project, whose whole tree the
 * language host walks at each start.
 */
export function defaultFolder(kind: Report["kind"], reports: readonly { readonly stack: string }[]): string {
  const [only, ...others] = reports;
  const name = others.length > 0 ? "" : `-${fileName(only?.stack ?? "")}`;
  return join(tmpdir(), `tailwart-${kind}${name}`);
}

const fileName = (stack: string) => stack.replace(/[^\w.-]/g, "_");

/**
 * Writes the two files of all reports, each stack's policy file, and the summary of the GitHub job
 * that this runs in.
 */
export async function writeReports(
  reviewed: readonly Omit<Reviewed, "code">[],
  folder: string,
  project: string,
): Promise<Written> {
  const kind = reviewed[0]?.report.kind ?? "review";
  await mkdir(folder, { recursive: true });
  const markdown = join(folder, `${kind}.md`);
  const sarif = join(folder, `${kind}.sarif`);
  const root = process.env["GITHUB_WORKSPACE"] ?? project;
  const inRepository = (file: string) => relative(root, file).replaceAll("\\", "/");
  const program = ["index.ts", "index.js", "Pulumi.yaml"].find((name) => existsSync(join(project, name)));
  const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { version: string };
  const sources = (configFile?: string): Sources => ({
    program: inRepository(resolve(project, program ?? "Pulumi.yaml")),
    ...(configFile !== undefined && {
      config: { path: inRepository(configFile), text: readFileSync(configFile, "utf8") },
    }),
    version,
  });
  const log = toSarif(
    reviewed.map(({ report, configFile }) => ({ report, sources: sources(configFile) })),
    allPolicies,
  );
  const text = toMarkdown(reviewed.map(({ report }) => report));
  await writeFile(markdown, text);
  await writeFile(sarif, `${JSON.stringify(log, null, 2)}\n`);
  for (const { report, policyFile } of reviewed)
    if (policyFile !== undefined)
      await writeFile(join(folder, `policy-${fileName(report.stack)}.hujson`), policyFile);
  const summary = process.env["GITHUB_STEP_SUMMARY"];
  if (summary) await appendFile(summary, `${text}\n`);
  return { markdown, sarif };
}

/**
 * The reports as a terminal shows them, 80 columns wide. What they quote is anybody's, and is told
 * without what a terminal would obey.
 */
export function describeReports(reports: readonly Report[], { markdown, sarif }: Written): string {
  const files = [`  Markdown  ${markdown}`, `  SARIF     ${sarif}`].join("\n");
  return printable(
    [...reports.flatMap((report) => describe(report, reports.length > 1)), files].join("\n\n"),
  );
}

/** @param named whether the last line says which stack it is about */
function describe(report: Report, named: boolean): string[] {
  const { stack, violations, problems, notJudged, changes, base, drift = [] } = report;
  return [
    ...problems.map(({ severity, message }) => `${severity}: ${message}`),
    ...violations.map((each) => {
      const fresh = each.isNew ? ", new" : "";
      const head = `${isMandatory(each) ? "✗" : "!"} ${each.policy} (${nameOf(each.urn)}${fresh})`;
      const lines = [
        [each.where, each.what].filter(Boolean).join(" "),
        ...(each.why ? [`why: ${each.why}`] : []),
        ...(each.instead ? [`fix: ${each.instead}`] : []),
      ];
      return [head, ...lines.map((line) => wrapped(line))].join("\n");
    }),
    ...drift.map(({ urn, op, properties }) =>
      wrapped(`drift: ${nameOf(urn)} (${op}) ${properties.map(({ path }) => path).join(", ")}`, ""),
    ),
    ...notJudged.map(({ policy, urn, where, because }) =>
      wrapped(`not judged: ${policy}, ${[nameOf(urn), where].filter(Boolean).join(" ")}: ${because}`, ""),
    ),
    ...(base && changes.length > 0 ? [changes.map(changeLines).join("\n")] : []),
    ...(base?.mended ?? []).map(({ policy, urn, where }) =>
      wrapped(`mended: ${policy}, ${[nameOf(urn), where].filter(Boolean).join(" ")}`, ""),
    ),
    ...(base?.unknown === undefined ? [] : [wrapped(`what changes is not known: ${base.unknown}`, "")]),
    named ? `${stack}: ${headline(report)}` : headline(report),
  ];
}

const MARKS: Readonly<Record<string, string>> = { create: "+", delete: "-", replace: "±", update: "~" };

/** A changed resource and its properties; lines and values stay as they are, however long. */
function changeLines({ op, urn, properties }: Change): string {
  const lines = properties.flatMap(({ path, old, new: next, lines: diff, follows, replaces }) => {
    const head = `    ${path}${replaces ? " (replaces)" : ""}:`;
    if (follows !== undefined) return [`${head} another, since ${nameOf(follows)} is replaced`];
    if (diff !== undefined) return [head, ...diff.split("\n").map((line) => `      ${line}`)];
    return [`${head} ${old ?? "(not set)"} → ${next ?? "(not set)"}`];
  });
  return [`${MARKS[op] ?? "?"} ${op} ${nameOf(urn)}`, ...lines].join("\n");
}

/** A text in lines of a terminal. */
const wrapped = (text: string, indent = "  "): string => wrap(onOneLine(text), 79, indent).join("\n");
