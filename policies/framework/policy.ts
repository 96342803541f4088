import type { PolicyConfigSchema, Severity } from "@pulumi/policy";

import type { Exception } from "./exceptions.ts";
import type { Path } from "./values.ts";

/** A resource with its inputs as the engine sends them; reading an unknown one throws. */
export interface PolicyResource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly props: Record<string, unknown>;
  /** Resource options as far as the engine sends them; it does not send `retainOnDelete`. */
  readonly opts: { readonly protect: boolean; readonly parent?: string };
  /** In a stack policy: input → the resources that its value comes from. */
  readonly propertyDependencies?: Readonly<Record<string, readonly PolicyResource[]>>;
  /** With `seesSecrets`: paths of secrets. Undefined if the engine did not send secret marks. */
  readonly secretPaths?: readonly Path[] | undefined;
}

/** One thing that is wrong. None of the texts repeats a value that could be a secret. */
export interface Finding {
  /** Property path within the resource, such as `envs (SMARTHOST)`. */
  readonly where: string;
  /** What is wrong there. */
  readonly what: string;
  /** What to write instead. */
  readonly instead: string;
  /** The resource, where a stack policy judges several. */
  readonly urn?: string | undefined;
  /** True for what works and could be better: it is told, and fails nothing. */
  readonly advice?: true;
}

/** What could not be judged, mostly since it is unknown at preview. Never counted as good. */
export interface NotJudged {
  readonly where: string;
  readonly because: string;
  readonly urn?: string | undefined;
}

export interface Judgement {
  readonly findings: readonly Finding[];
  readonly notJudged: readonly NotJudged[];
}

/** What a judging function answers: its judgement, or why the resource does not concern it. */
export type Verdict = Judgement | { readonly notApplicable: string };

/** Settings of `--policy-pack-config`. `parse` throws a sentence that names the key's path. */
export interface PolicySettings<Settings> {
  readonly schema: PolicyConfigSchema;
  readonly parse: (raw: Record<string, unknown>) => Settings;
}

/** A policy: metadata in this order, then the pure functions that judge. One a file. */
export interface PolicyDefinition<Settings = undefined> {
  /** Unique, kebab-case; never renamed, since exceptions and policy config name it. */
  readonly id: string;
  /** One sentence: what holds when the policy is kept. */
  readonly description: string;
  readonly severity: Severity;
  /** Number of the lesson in docs/ that the policy comes from, where it comes from one. */
  readonly lesson?: number;
  readonly enforcementLevel: "advisory" | "mandatory";
  /** How to mend a violation, in general. */
  readonly remediation: string;
  readonly url: string;
  /** Why it matters: one sentence, printed with each finding. */
  readonly why: string;
  readonly settings?: PolicySettings<Settings>;
  /** True for a rule that judges any stack, not only tailwart's own; ★ in POLICIES.md. */
  readonly portable: boolean;
  /** Type tokens of the resources that judgeResource is asked about. Default: all. */
  readonly resourceTypes?: readonly string[];
  /** judgeResource gets `secretPaths`. */
  readonly seesSecrets?: true;
  /** Judges one resource, before it is made. */
  readonly judgeResource?: (resource: PolicyResource, settings: Settings) => Verdict | Promise<Verdict>;
  /** Judges what takes several resources to see. In `up` it runs at the end, and only reports. */
  readonly judgeStack?: (
    resources: readonly PolicyResource[],
    settings: Settings,
  ) => Verdict | Promise<Verdict>;
}

/** Checks a definition's types at the place where it is written; returns it as it is. */
export function definePolicy<Settings = undefined>(
  definition: PolicyDefinition<Settings>,
): PolicyDefinition<Settings> {
  return definition;
}

/** The text of one finding: what, where, why, what to write instead. */
export function describeFinding(
  policy: Pick<PolicyDefinition, "why" | "lesson" | "url">,
  finding: Finding,
): string {
  const sources = [...(policy.lesson === undefined ? [] : [`lesson ${policy.lesson}`]), policy.url];
  return [
    `${finding.where} ${finding.what}.`,
    `  why: ${policy.why} (${sources.join(", ")})`,
    `  instead: ${finding.instead}`,
  ].join("\n");
}

/** The one text that lists what could not be judged of a resource. */
export function describeNotJudged(gaps: readonly NotJudged[]): string {
  // What all domains have in common is not judged for each of them.
  const lines = new Set(gaps.map((gap) => `  ${gap.where}: ${gap.because}`));
  return ["Not judged:", ...lines].join("\n");
}

/** A finding that an exception lets pass, marked for the reader and for the review. */
export function describeExcepted({ expires, reason }: Exception, finding: string): string {
  return `Excepted until ${expires}: ${reason}\n${finding}`;
}
