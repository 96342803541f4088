import { onOneLine, wrap } from "../../../lib/wrap.ts";
import type { CheckGap } from "../judge.ts";
import { fails, type Reported, type Result } from "../result.ts";
import { allPrintable } from "./printable.ts";

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** The result as a terminal shows it: place first, so that editors can follow it. */
export function toText(result: Result): string {
  const { findings, notJudged, problems } = allPrintable(result);
  const shown = findings.filter(({ isKnown }) => !isKnown);
  const parts = [
    ...problems.map(({ at, message }) => `${at.file}:${at.line}: error: ${message}`),
    ...shown.map(describe),
    ...(notJudged.length > 0 ? [["Not judged:", ...describeGaps(notJudged)].join("\n")] : []),
    summary(result),
  ];
  return `${parts.join("\n\n")}\n`;
}

function describe(finding: Reported): string {
  const { at, level, severity, policy, lesson, resource, where, what, why, instead, url, excepted } = finding;
  const name = lesson === undefined ? policy : `${policy} (lesson ${lesson})`;
  const kind = excepted ? `excepted until ${excepted.until}` : `${level} [${severity}]`;
  const subject = where === "" ? resource : where;
  return [
    `${at.file}:${at.line}: ${kind} ${name}`,
    wrapped(`${subject} ${what}.`),
    wrapped(`why: ${excepted?.reason ?? why}`),
    wrapped(`fix: ${instead}`),
    `  see: ${url}`,
  ].join("\n");
}

/** Where there is no .env, a file may have dozens of variables without a value: a line a file. */
function describeGaps(gaps: readonly CheckGap[]): string[] {
  const unset = Map.groupBy(
    gaps.filter((gap) => gap.unset),
    ({ at }) => at.file,
  );
  const variables = [...unset].map(([file, all]) => {
    const lines = Map.groupBy(
      all.flatMap(({ at, unset = [] }) => unset.map((name) => ({ name, line: at.line }))),
      ({ name }) => name,
    );
    const names = [...lines].map(([name, uses]) => `${name} (${linesOf(uses.map(({ line }) => line))})`);
    const because = `without a value here: ${names.join(", ")}`;
    return describeGap({ at: { file, line: all[0]?.at.line ?? 1 }, where: "", because, policies: [] });
  });
  return [...variables, ...alike(gaps.filter((gap) => !gap.unset)).map(describeGap)];
}

/** What cannot be known of one service mostly cannot of its neighbours either. */
function alike(gaps: readonly CheckGap[]): CheckGap[] {
  const groups = Map.groupBy(gaps, ({ at, because, policies }) =>
    JSON.stringify([at.file, because, policies.map(({ id }) => id)]),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first || group.length === 1) return group;
    return [{ ...first, where: group.map(({ where, at }) => `${where} (line ${at.line})`).join(", ") }];
  });
}

function linesOf(lines: readonly number[]): string {
  const unique = [...new Set(lines)];
  return `${unique.length === 1 ? "line" : "lines"} ${unique.join(", ")}`;
}

function describeGap({ at, where, because, policies }: CheckGap): string {
  const names = policies.map(({ id, lesson }) => (lesson === undefined ? id : `${id}, lesson ${lesson}`));
  const subject = [where, because].filter(Boolean).join(": ");
  return wrapped(`${at.file}:${at.line}: ${subject}${names.length > 0 ? ` (${names.join("; ")})` : ""}`);
}

function summary(result: Result): string {
  const { findings, notJudged, files, mended } = result;
  const errors = findings.filter(fails).length;
  const known = findings.filter(({ isKnown }) => isKnown).length;
  const warnings = findings.filter((one) => !one.isKnown && !fails(one)).length;
  const counts = [
    plural(errors, "error"),
    ...(warnings > 0 ? [plural(warnings, "warning")] : []),
    ...(known > 0 ? [`${known} known by the baseline`] : []),
    ...(mended ? [`${mended} of the baseline mended: write it anew with --write-baseline`] : []),
    ...(notJudged.length > 0 ? [`${notJudged.length} not judged`] : []),
  ];
  return `${counts.join(", ")} in ${plural(files, "file")}`;
}

const WIDTH = 100;

/** A text in lines, all but the first further in. */
const wrapped = (text: string): string => wrap(onOneLine(text), WIDTH, "  ", "    ").join("\n");
