import { merge, PASS, refuse, unjudged, unknown } from "../framework/judgement.ts";
import { refuseUnknownKeys, wrongSetting } from "../framework/policy-settings.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { SETTINGS_TYPES } from "../facts/own-resources.ts";
import { outboundOf, type Outbound, type Rule } from "../facts/stalwart/routing.ts";

const ID = "no-direct-smtp-egress";

/**
 * What a condition says is not evaluated but for "the recipient is local": a rule with any other
 * condition counts as one that some recipient elsewhere comes to. The policy config declares egress
 * blocked, since no resource of a stack says what its provider filters.
 */
export const noDirectSmtpEgress = definePolicy<EgressSettings>({
  id: ID,
  description: "Mail to other domains leaves through a relay, never straight to the recipient's MX.",
  severity: "high",
  lesson: 10,
  enforcementLevel: "mandatory",
  remediation: "Let the outbound strategy name a relay's route for whatever is not local.",
  url: "https://stalw.art/docs/0.15/mta/outbound/routing",
  why: "the host's provider drops outbound SMTP on every port it knows, so direct delivery ends in `Connection timed out` and the mail stays in the queue",
  settings: {
    schema: {
      properties: {
        egress: {
          type: "string",
          enum: ["blocked", "open"],
          description: "Whether the host's provider blocks outbound SMTP. Unset: blocked.",
        },
      },
    },
    parse: parseEgressSettings,
  },
  portable: false,
  resourceTypes: SETTINGS_TYPES,
  judgeResource: judge,
});

const INSTEAD = `a relay's route for what is not local (its smarthost on the tailnet); or ${ID}.egress: open in the policy config where SMTP leaves the host`;

export interface EgressSettings {
  /** Whether the host's provider lets SMTP out. */
  readonly egress: "blocked" | "open";
}

/** Checks the policy's config; throws a sentence that names the key's path. */
export function parseEgressSettings(raw: Record<string, unknown>): EgressSettings {
  refuseUnknownKeys(ID, raw, ["egress"]);
  const { egress = "blocked" } = raw;
  if (egress !== "blocked" && egress !== "open")
    throw wrongSetting(`${ID}.egress`, '"blocked" or "open"', '"blocked"');
  return { egress };
}

function judgeRule({ where, result, holds }: Rule, outbound: Outbound): Judgement {
  if (result.kind === "unknown") return unknown(where);
  if (result.kind === "unreadable")
    return unjudged({
      where,
      because: "only Stalwart can tell what its expression gives; write the name in quotes",
    });
  const led = result.kind === "names" ? result.names.map(outbound.leadsTo) : [];
  const route = led.includes("mx")
    ? "a route of type mx"
    : led.includes("missing") && "a route that is not declared, in whose place Stalwart takes the MX";
  if (!route)
    return led.includes("unknown")
      ? unjudged({ where, because: "the type of the route it names is unknown until the update" })
      : PASS;
  if (holds === "unknown") return unjudged({ where, because: "its condition is unknown until the update" });
  return refuse({ where, what: `lets recipients that are not local reach ${route}`, instead: INSTEAD });
}

/** The rules that mail to a recipient elsewhere can come to, in Stalwart's order. */
function reachable(rules: readonly Rule[]): Rule[] {
  const open = rules.filter(({ holds }) => holds !== "local" && holds !== "never");
  const last = open.findIndex(({ holds }) => holds === "always" || holds === "not-local");
  return open.slice(0, last + 1);
}

function judge(resource: PolicyResource, { egress }: EgressSettings): Verdict {
  if (egress === "open") return { notApplicable: "the policy config declares egress open" };
  const outbound = outboundOf(resource);
  if (!outbound) return { notApplicable: "only tailwart's settings resources say where mail goes" };
  const { strategy } = outbound;
  const refused = (where: string, what: string) => refuse({ where, what, instead: INSTEAD });
  if (strategy.kind === "unknown") return unknown(strategy.where);
  if (strategy.kind === "unset")
    return refused(strategy.where, "is not set, and Stalwart's own rule sends what is not local to the MX");
  const own = "so Stalwart takes its own rule, which sends what is not local to the MX";
  if (strategy.kind === "broken") return refused(strategy.where, `${strategy.because}, ${own}`);
  // One branch that Stalwart refuses costs the whole strategy, whoever the branch is for.
  for (const { where, result } of strategy.rules)
    if (result.kind === "refused") return refused(where, `${result.because}, ${own}`);
  return merge(...reachable(strategy.rules).map((rule) => judgeRule(rule, outbound)));
}
