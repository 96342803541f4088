import { table } from "../../lib/markdown.ts";
import { longest } from "./downtime.ts";
import { changesSection, changeItems, type Detail, DETAILS, resource } from "./markdown-changes.ts";
import { block, closeDetails, code, count, text } from "./markdown-text.ts";
import { type Gap, isMandatory, nameOf, type Report, type Violation } from "./model.ts";

/**
 * GitHub refuses a comment of more than 65,536 (its API counts characters; bytes are never fewer).
 * A line is left for the marker that review.yml puts before the report.
 */
export const COMMENT_LIMIT = 65_500;
const CUT =
  "\n\n*This summary was cut to fit into a comment; the whole of it is in the report that the run has kept.*\n";

/**
 * Reports as one Markdown summary, for a comment or a job's summary page. What failed comes first.
 *
 * @param limit bytes; what is too long is said in fewer words first, and only then cut, to as much
 *   of each
 */
export function toMarkdown(reports: readonly Report[], limit = COMMENT_LIMIT): string {
  const sorted = reports.toSorted((a, b) => Number(isFine(a)) - Number(isFine(b)));
  for (const detail of DETAILS) {
    const written = sorted.map((report) => markdown(report, detail)).join("\n");
    if (size(written) <= limit) return written;
  }
  const share = Math.floor(limit / Math.max(1, sorted.length));
  return sorted.map((report) => cutTo(markdown(report, "counts"), share - 1)).join("\n");
}

const size = (text: string) => Buffer.byteLength(text);

/** A summary's first lines, as many as there is room for. */
function cutTo(summary: string, limit: number): string {
  if (size(summary) <= limit) return summary;
  const kept: string[] = [];
  let left = limit - size(CUT);
  for (const line of summary.split("\n")) {
    left -= size(line) + 1;
    if (left < 0) break;
    kept.push(line);
  }
  return closeDetails(kept.join("\n")) + CUT;
}

/** One line: what matters most. */
export function headline(report: Report): string {
  const { violations, problems, notJudged, exceptions, counts, downtime, drift, base } = report;
  const mandatory = violations.filter(isMandatory).length;
  const advisory = violations.length - mandatory;
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const changed = ["create", "update", "replace", "delete", "import"]
    .filter((op) => counts[op])
    .map((op) => `${counts[op]} to ${op}`);
  const seconds = longest(downtime);
  const down = seconds === undefined ? "mail down, nobody knows how long" : `mail down about ${seconds} s`;
  return [
    ...(mandatory
      ? [`${count(mandatory, "violation")} to mend${ofThemNew(violations.filter(isMandatory))}`]
      : []),
    ...(advisory
      ? [
          `${count(advisory, "advisory finding")}${ofThemNew(violations.filter((each) => !isMandatory(each)))}`,
        ]
      : []),
    ...(base?.mended.length ? [`${base.mended.length} mended`] : []),
    ...(errors ? [count(errors, "error")] : []),
    ...(report.kind === "review" && base?.unknown === undefined ? [changed.join(", ") || "no change"] : []),
    ...(seconds !== 0 ? [down] : []),
    ...(drift?.length ? [`${count(drift.length, "resource")} drifted`] : []),
    ...(notJudged.length ? [`${notJudged.length} not judged`] : []),
    ...(exceptions.length ? [`${count(exceptions.length, "exception")} used`] : []),
    ...(report.kind === "audit" && violations.length + notJudged.length + errors + (drift?.length ?? 0) === 0
      ? ["clean"]
      : []),
  ].join(" · ");
}

function ofThemNew(violations: readonly Violation[]): string {
  const fresh = violations.filter(({ isNew }) => isNew).length;
  return fresh === 0 ? "" : `, ${fresh} new`;
}

/** An advisory finding lets a preview pass, and not an audit. */
const isFine = ({ kind, result, drift = [], violations }: Report) =>
  result === "succeeded" && drift.length === 0 && (kind === "review" || violations.length === 0);

function markdown(report: Report, detail: Detail): string {
  const what = report.kind === "review" ? "Review" : "Audit";
  const { base } = report;
  const against = base ? ` against ${code(base.ref)} (${base.commit.slice(0, 7)})` : "";
  const title = `## ${isFine(report) ? "✅" : "❌"} ${what} of the stack ${code(report.stack)}${against}`;
  const sections = [
    `${title}\n\n**${headline(report)}**`,
    problemsSection(report),
    violationsSection(report.violations),
    mendedSection(report),
    downtimeSection(report),
    driftSection(report, detail),
    changesSection(report, detail),
    notJudgedSection(report.notJudged),
    exceptionsSection(report),
    packsSection(report),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function problemsSection({ problems }: Report): string {
  if (problems.length === 0) return "";
  const items = problems.map(({ severity, message, urn }) => {
    const at = urn && !urn.includes("::pulumi:pulumi:Stack::") ? ` at ${resource(urn)}` : "";
    return `**${severity}**${at}\n\n${block(message)}`;
  });
  return `### What went wrong\n\n${items.join("\n\n")}`;
}

function violationsSection(violations: readonly Violation[]): string {
  if (violations.length === 0) return "";
  const byPolicy = Map.groupBy(violations, ({ policy }) => policy);
  const parts = [...byPolicy].map(([policy, found]) => {
    const [first] = found as [Violation];
    const why = first.why === undefined ? "" : `\n\nWhy: ${text(first.why)}${source(first)}.`;
    const rank = [first.level, first.severity].filter(Boolean).join(", ");
    return `#### ${code(policy)} (${rank})${why}\n\n${found.map(findingItem).join("\n")}`;
  });
  return `### Violations (${violations.length})\n\n${parts.join("\n\n")}`;
}

function findingItem({ urn, where, what, instead, isNew }: Violation): string {
  const at = where ? `${code(where)} ` : "";
  const fix = instead === undefined ? "" : `\n  - fix: ${text(instead)}`;
  return `- ${isNew ? "new: " : ""}${resource(urn)}: ${at}${text(what)}${fix}`;
}

function mendedSection({ base }: Report): string {
  if (!base?.mended.length) return "";
  const items = base.mended.map(({ policy, urn, where, what, sameResource }) => {
    const place = where ? `${code(where)} ` : "";
    const same = sameResource ? " (the resource is the same: has the policy become weaker?)" : "";
    return `- ${code(policy)} at ${resource(urn)}: ${place}${text(what)}${same}`;
  });
  return `### Mended (${base.mended.length})\n\n${items.join("\n")}`;
}

function source({ lesson, url }: Violation): string {
  const parts = [...(lesson === undefined ? [] : [`lesson ${lesson}`]), ...(url ? [`<${url}>`] : [])];
  return parts.length ? ` (${parts.join(", ")})` : "";
}

function downtimeSection({ downtime, changes }: Report): string {
  const others = changes.filter(({ op, part }) => op === "replace" && !part);
  if (downtime.length === 0 && others.length === 0) return "";
  const seconds = longest(downtime);
  const total =
    seconds === undefined
      ? "Mail is down for as long as nobody knows: see the table."
      : seconds === 0
        ? "Mail is not interrupted."
        : `Mail is down for about **${seconds} s** (the longest of these: they happen together). Senders try again.`;
  const rows = downtime.map(({ name, op, seconds: each, basis, source: held, effect }) => {
    const figure = each === undefined ? "unknown" : each === 0 ? "not" : `${basis} ${each} s`;
    return [code(name), op, `${figure}${held ? ` (${code(held)})` : ""}`, text(effect)];
  });
  const shown = rows.length ? `\n\n${table(["what", "step", "mail is down", "why"], rows)}` : "";
  const rest = others.length
    ? `\n\nAlso replaced, without effect on mail: ${others.map(({ urn }) => code(nameOf(urn))).join(", ")}.`
    : "";
  return `### What is replaced, and how long mail is down\n\n${total}${shown}${rest}`;
}

function driftSection({ drift }: Report, detail: Detail): string {
  if (drift === undefined) return "";
  if (drift.length === 0) return "### Drift\n\nNone: what runs is what the state says.";
  const list = changeItems(drift, detail);
  return `### Drift (${drift.length})\n\nSomebody has changed this past Pulumi. \`pulumi up --refresh\` puts it back.\n\n${list}`;
}

function notJudgedSection(gaps: readonly Gap[]): string {
  if (gaps.length === 0) return "";
  const bySubject = Map.groupBy(gaps, ({ policy, urn }) => `- ${code(policy)} at ${resource(urn)}`);
  const items = [...bySubject].map(([subject, found]) => {
    const lines = found.map(({ where, because }) => `  - ${where ? `${code(where)}: ` : ""}${text(because)}`);
    return [subject, ...lines].join("\n");
  });
  return `### Not judged (${gaps.length})\n\nNeither good nor bad: the policies could not see these.\n\n${items.join("\n")}`;
}

function exceptionsSection({ exceptions, notes }: Report): string {
  if (exceptions.length === 0 && notes.length === 0) return "";
  const rows = exceptions.map(({ violation, until, reason }) => {
    const what = [violation.where && code(violation.where), text(violation.what)].filter(Boolean).join(" ");
    return [code(violation.policy), `${resource(violation.urn)}: ${what}`, until ?? "", text(reason)];
  });
  const shown = rows.length ? `\n\n${table(["policy", "what is let pass", "until", "reason"], rows)}` : "";
  const said = notes.map((note) => `\n\n${block(note)}`).join("");
  return `### Exceptions${shown}${said}`;
}

function packsSection({ packs, kind }: Report): string {
  const names = Object.entries(packs).map(([name, version]) => `${name} ${version}`);
  const judged = names.length ? `Judged by ${names.join(", ")}.` : "No policy pack has judged this.";
  return `<sub>${judged} \`npm run ${kind}\` makes this report; docs/review.md explains it.</sub>`;
}
