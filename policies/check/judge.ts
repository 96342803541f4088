import { UnknownValueError } from "@pulumi/policy";

import { EXCEPTIONS_POLICY, type PackRun } from "../framework/pack-state.ts";
import type { PolicyDefinition, PolicyResource, Verdict } from "../framework/policy.ts";
import { perResource, UNKNOWN_AT_PREVIEW } from "../framework/values.ts";
import { inputsOf } from "../framework/wire/inputs.ts";
import { secretPathsOf } from "../framework/wire/secret-paths.ts";
import { allPolicies, type AnyPolicy } from "../rules/index.ts";
import type { At } from "./located.ts";
import { locate } from "./locate.ts";
import { urnOf, type Source, type Stack } from "./resource.ts";
import { inWordsOf } from "./wording.ts";

/** One thing that is wrong, where it is written. */
export interface CheckFinding {
  readonly policy: string;
  readonly lesson?: number;
  readonly severity: string;
  /** Whether it fails the check. */
  readonly level: "error" | "warning";
  readonly at: At;
  /** What is wrong with it; empty where it is the stack as a whole. */
  readonly resource: string;
  readonly urn: string;
  readonly where: string;
  readonly what: string;
  readonly why: string;
  readonly instead: string;
  readonly url: string;
  /** Set where an exception lets it pass. */
  readonly excepted?: { readonly reason: string; readonly until: string };
}

/** What could not be judged, and by which policies. */
export interface CheckGap {
  readonly at: At;
  readonly where: string;
  readonly because: string;
  readonly policies: readonly { readonly id: string; readonly lesson?: number }[];
  /** The variables without a value, where that is why. */
  readonly unset?: readonly string[];
}

export interface Judged {
  readonly findings: readonly CheckFinding[];
  readonly notJudged: readonly CheckGap[];
}

/** Asks every policy about every stack. What two stacks share is told once. */
export async function judge(
  stacks: readonly Stack[],
  run: PackRun,
  textOf: (file: string) => string,
): Promise<Judged> {
  const findings = new Map<string, CheckFinding>();
  const gaps = new Map<string, CheckGap>();
  for (const stack of stacks) {
    const told = teller(stack, run, textOf, findings, gaps);
    for (const policy of allPolicies) {
      if (run.levelOf(policy.id) === "disabled") continue;
      const resources = resourcesFor(stack.resources, policy);
      const { settings } = run.configOf(policy);
      if (policy.judgeResource)
        for (const resource of resources)
          if (policy.resourceTypes?.includes(resource.type) ?? true)
            told(policy, resource.urn, await guarded(() => policy.judgeResource?.(resource, settings)));
      if (policy.judgeStack)
        told(policy, undefined, await guarded(() => policy.judgeStack?.(resources, settings)));
    }
  }
  return { findings: sorted([...findings.values()]), notJudged: sorted([...gaps.values()]) };
}

/** A rule that an unknown value has ended has judged nothing of what was left. */
async function guarded(ask: () => Verdict | Promise<Verdict> | undefined): Promise<Verdict> {
  try {
    return (await ask()) ?? { notApplicable: "the policy does not ask" };
  } catch (error) {
    if (!(error instanceof UnknownValueError)) throw error;
    return { findings: [], notJudged: [{ where: "", because: UNKNOWN_AT_PREVIEW }] };
  }
}

/** Most policies see the same; their facts keep what they have read of a resource. */
const propsOf = perResource((inputs: Readonly<Record<string, unknown>>): PolicyResource["props"] =>
  inputsOf({ toJavaScript: () => inputs }),
);

function resourcesFor(sources: readonly Source[], policy: AnyPolicy): PolicyResource[] {
  const made = sources.map((source) => {
    const inputs =
      (policy.seesSecrets ? source.written : undefined) ?? source.forPolicy?.[policy.id] ?? source.inputs;
    const props = propsOf(inputs);
    const { type, name, urn, protect, parent } = source;
    const propertyDependencies: Record<string, readonly PolicyResource[]> = {};
    const opts = { protect, ...(parent !== undefined && { parent }) };
    const secretPaths = policy.seesSecrets && { secretPaths: secretPathsOf(props) };
    return { source, resource: { type, name, urn, props, opts, propertyDependencies, ...secretPaths } };
  });
  const byUrn = new Map(made.map(({ resource }) => [resource.urn, resource]));
  for (const { source, resource } of made)
    for (const [input, urns] of Object.entries(source.dependencies ?? {}))
      resource.propertyDependencies[input] = urns.flatMap((urn) => byUrn.get(urn) ?? []);
  return made.map(({ resource }) => resource);
}

type Teller = (policy: AnyPolicy, urn: string | undefined, verdict: Verdict) => void;

function teller(
  stack: Stack,
  run: PackRun,
  textOf: (file: string) => string,
  findings: Map<string, CheckFinding>,
  gaps: Map<string, CheckGap>,
): Teller {
  const byUrn = new Map(stack.resources.map((source) => [source.urn, source]));
  const find = (where: string, what: string, urn: string | undefined) => {
    const source = urn === undefined ? undefined : byUrn.get(urn);
    const found = locate(where, what, source, textOf);
    return { source, ...found, at: source ? found.at : stack.at };
  };
  return (policy, urn, verdict) => {
    if ("notApplicable" in verdict) return;
    const { enforcementLevel, severity } = run.configOf(policy);
    for (const finding of verdict.findings) {
      const of = finding.urn ?? urn;
      const { source, at, where } = find(finding.where, finding.what, of);
      const exception =
        run.exceptions.cover(policy.id, of ?? "", where) ??
        run.exceptions.cover(policy.id, of ?? "", finding.where);
      const one: CheckFinding = {
        ...aboutPolicy(policy),
        severity,
        level: enforcementLevel === "mandatory" && !exception && !finding.advice ? "error" : "warning",
        at,
        resource: source?.name ?? stack.name,
        urn: of ?? "",
        where,
        ...inWordsOf(source, finding),
        why: policy.why,
        url: policy.url,
        ...(exception && { excepted: { reason: exception.reason, until: exception.expires } }),
      };
      // One line may hold several secrets, each at a place of its own. A file that is mounted, and
      // judged by itself as well, calls the same place by two names.
      const line = [policy.id, at.file, at.line, one.what].join("\n");
      const other = findings.get(line);
      if (!other) findings.set(line, one);
      else if (other.where !== where && isOfFile(other.urn) === isOfFile(one.urn))
        findings.set(`${line}\n${where}`, findings.get(`${line}\n${where}`) ?? one);
    }
    for (const gap of verdict.notJudged) {
      const { at, where, unknownBecause } = find(gap.where, gap.because, gap.urn ?? urn);
      const because =
        gap.because === UNKNOWN_AT_PREVIEW
          ? (unknownBecause ?? "is not known before it is deployed")
          : gap.because;
      // The same place may be seen twice, as a text and as settings.
      const key = [at.file, at.line, because].join("\n");
      const known = gaps.get(key) ?? { at, where, because, policies: [] };
      if (known.policies.some(({ id }) => id === policy.id)) continue;
      const { policy: id, ...lesson } = aboutPolicy(policy);
      gaps.set(key, { ...known, policies: [...known.policies, { id, ...lesson }] });
    }
  };
}

const isOfFile = (urn: string): boolean => urn.startsWith(urnOf("files", "", "").slice(0, -"::".length));

const aboutPolicy = ({ id, lesson }: Pick<PolicyDefinition, "id" | "lesson">) => ({
  policy: id,
  ...(lesson !== undefined && { lesson }),
});

function sorted<One extends { readonly at: At }>(all: readonly One[]): One[] {
  return all.toSorted((a, b) => {
    if (a.at.file !== b.at.file) return a.at.file < b.at.file ? -1 : 1;
    return a.at.line - b.at.line;
  });
}

/** An exception that has passed its end fails the check, as it fails a preview. */
export function expiredExceptions({ exceptions: { file, expired } }: PackRun): CheckFinding[] {
  return expired.map(({ at, policy, urn, expires, reason }) => ({
    policy: EXCEPTIONS_POLICY,
    severity: "high",
    level: "error",
    at: { file, line: 1 },
    resource: "",
    urn: "",
    where: at,
    what: `(${policy} on ${urn}) expired on ${expires}`,
    why: `a policy that is excepted without an end is one that nobody keeps; the reason was: ${reason}`,
    instead: "mend the finding and delete the exception, or give it a new day and the reason for it",
    url: "https://www.pulumi.com/docs/insights/policy/",
  }));
}
