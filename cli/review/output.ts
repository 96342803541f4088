import { existsSync, readFileSync } from "node:fs";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";

import { allPolicies } from "../../policies/rules/index.ts";
import { PROJECT } from "../parts/pulumi-cli.ts";
import { headline, toMarkdown } from "./markdown.ts";
import { isMandatory, nameOf, type Report } from "./model.ts";
import { toSarif } from "./sarif.ts";

export interface Written {
  readonly markdown: string;
  readonly sarif: string;
}

/**
 * Where reports go unless somebody says otherwise: not into the project, whose whole tree the
 * language host walks at each start.
 */
export const defaultFolder = (kind: Report["kind"], stack: string): string =>
  join(tmpdir(), `tailwart-${kind}-${stack.replace(/[^\w.-]/g, "_")}`);

/** Writes the report's two files, and the summary of the GitHub job that this runs in. */
export async function writeReport(
  report: Report,
  folder: string,
  project: string,
  configFile?: string,
): Promise<Written> {
  await mkdir(folder, { recursive: true });
  const markdown = join(folder, `${report.kind}.md`);
  const sarif = join(folder, `${report.kind}.sarif`);
  const root = process.env["GITHUB_WORKSPACE"] ?? project;
  const inRepository = (file: string) => relative(root, file).replaceAll("\\", "/");
  const program = ["index.ts", "index.js", "Pulumi.yaml"].find((name) => existsSync(join(project, name)));
  const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { version: string };
  const log = toSarif(report, allPolicies, {
    program: inRepository(resolve(project, program ?? "Pulumi.yaml")),
    ...(configFile !== undefined && {
      config: { path: inRepository(configFile), text: readFileSync(configFile, "utf8") },
    }),
    version,
  });
  const text = toMarkdown(report);
  await writeFile(markdown, text);
  await writeFile(sarif, `${JSON.stringify(log, null, 2)}\n`);
  const summary = process.env["GITHUB_STEP_SUMMARY"];
  if (summary) await appendFile(summary, `${text}\n`);
  return { markdown, sarif };
}

/** The report as a terminal shows it, 80 columns wide. */
export function describeReport(report: Report, { markdown, sarif }: Written): string {
  const { violations, problems, notJudged, drift = [] } = report;
  const parts = [
    ...problems.map(({ severity, message }) => `${severity}: ${message}`),
    ...violations.map((each) => {
      const head = `${isMandatory(each) ? "✗" : "!"} ${each.policy} (${nameOf(each.urn)})`;
      const lines = [
        [each.where, each.what].filter(Boolean).join(" "),
        ...(each.why ? [`why: ${each.why}`] : []),
        ...(each.instead ? [`fix: ${each.instead}`] : []),
      ];
      return [head, ...lines.map((line) => wrap(line))].join("\n");
    }),
    ...drift.map(({ urn, op, properties }) =>
      wrap(`drift: ${nameOf(urn)} (${op}) ${properties.map(({ path }) => path).join(", ")}`, ""),
    ),
    ...notJudged.map(({ policy, urn, where, because }) =>
      wrap(`not judged: ${policy}, ${[nameOf(urn), where].filter(Boolean).join(" ")}: ${because}`, ""),
    ),
  ];
  const files = [`  Markdown  ${markdown}`, `  SARIF     ${sarif}`].join("\n");
  return [...parts, headline(report), files].join("\n\n");
}

/** Breaks between words; a word that is longer keeps its line. */
function wrap(text: string, indent = "  "): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/)) {
    if (line.trim() !== "" && line.length + word.length >= 80) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join("\n");
}
