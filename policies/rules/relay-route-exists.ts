import { merge, PASS, refuse, unjudged, unknown } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { SETTINGS_TYPES } from "../facts/own-resources.ts";
import { outboundOf, type Outbound, type Rule } from "../facts/stalwart/routing.ts";

export const relayRouteExists = definePolicy({
  id: "relay-route-exists",
  description: "Every route that the outbound strategy names is declared.",
  severity: "high",
  lesson: 14,
  enforcementLevel: "mandatory",
  remediation: "Declare the route, or name one that is declared, spelled alike and in quotes.",
  url: "https://stalw.art/docs/0.15/mta/outbound/routing",
  why: "for a route that it does not find Stalwart logs `Gateway not found` and delivers straight to the MX, past the relay",
  portable: false,
  resourceTypes: SETTINGS_TYPES,
  judgeResource: judge,
});

function judgeRule({ where, result }: Rule, outbound: Outbound): Judgement {
  const instead = outbound.declare;
  if (result.kind === "unknown") return unknown(where);
  if (result.kind === "unreadable")
    return unjudged({
      where,
      because: "only Stalwart can tell what its expression gives; write the name in quotes",
    });
  if (result.kind === "refused")
    return refuse({ where, what: `${result.because}, so it names no route`, instead });
  const led = result.names.map(outbound.leadsTo);
  if (led.includes("missing")) return refuse({ where, what: "names a route that is not declared", instead });
  return led.includes("unknown")
    ? unjudged({ where, because: "the routes that are declared are unknown until the update" })
    : PASS;
}

/** Every branch, also one that is never taken: the rule above it may be gone tomorrow. */
function judge(resource: PolicyResource): Verdict {
  const outbound = outboundOf(resource);
  if (!outbound) return { notApplicable: "only tailwart's settings resources name routes" };
  const { strategy } = outbound;
  if (strategy.kind === "unset") return { notApplicable: "the settings name no route" };
  if (strategy.kind === "unknown") return unknown(strategy.where);
  if (strategy.kind === "broken") {
    const what = `${strategy.because}, so Stalwart refuses the whole strategy`;
    const instead = "rules <n>.if and <n>.then, and after them one <n>.else";
    return refuse({ where: strategy.where, what, instead });
  }
  return merge(...strategy.rules.map((rule) => judgeRule(rule, outbound)));
}
