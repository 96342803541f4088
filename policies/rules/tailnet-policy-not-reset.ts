import { coverTogether } from "../../lib/address-ranges.ts";
import {
  allowsAllBySilence,
  rulesOf,
  type Destination,
  type PolicyDocument,
  type Rule,
} from "../../lib/tailnet/access-rules.ts";
import { meansEveryNode } from "../../lib/tailnet/selectors.ts";
import { merge, PASS, refuse, unjudged, unknown } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { read, readString } from "../framework/values.ts";
import { ACL, readPolicyFile } from "../facts/tailnet/policy-file.ts";

/** Resources whose destroy turns MagicDNS off: at once, or because no nameserver is left. */
const DNS: Readonly<Record<string, string>> = {
  "tailscale:index/dnsPreferences:DnsPreferences": "turns MagicDNS off for the whole tailnet",
  "tailscale:index/dnsConfiguration:DnsConfiguration":
    "empties the tailnet's DNS settings, MagicDNS among them",
  "tailscale:index/dnsNameservers:DnsNameservers":
    "takes away the tailnet's last nameserver, which turns MagicDNS off",
};

export const tailnetPolicyNotReset = definePolicy({
  id: "tailnet-policy-not-reset",
  description: "No update or destroy opens the tailnet to everybody or takes its names away.",
  severity: "critical",
  enforcementLevel: "mandatory",
  remediation:
    "Leave resetAclOnDestroy and overwriteExistingContent off, grant only what is needed, and protect the tailnet's DNS resources.",
  url: "https://tailscale.com/kb/1395/tailnet-policy-file",
  why: "the tailnet has one policy file and one set of names, so a mistake here opens or cuts off every machine of it at once",
  portable: true,
  resourceTypes: [ACL, ...Object.keys(DNS)],
  judgeResource,
});

/** Flags of the provider's Acl (resource_acl.go): what they do, in the order of the harm. */
const FLAGS = {
  resetAclOnDestroy:
    "is true, so that destroying the resource gives the tailnet its default policy, which lets everybody reach everything",
  overwriteExistingContent:
    "is true, so that the first update throws away a policy file that nobody has read into the state",
} as const;

const NARROW =
  'the grants that are needed, such as { "src": ["tag:stalwart"], "dst": ["tag:mail"], "ip": ["tcp:587"] }';

const ALL_PORTS = { family: 4, from: 1n, to: 65_535n } as const;

/** Over TCP, in one opening or in pieces. */
const opensAllPorts = ({ openings }: Destination): boolean =>
  coverTogether(
    openings
      .filter(({ protocol = "tcp" }) => protocol === "*" || protocol === "tcp")
      .map(({ from, to }) => ({ family: 4, from: BigInt(from), to: BigInt(to) })),
    ALL_PORTS,
  );

function allowsAll({ src, destinations, condition }: Rule, document: PolicyDocument): boolean {
  const wide = destinations.filter(opensAllPorts).map(({ selector }) => selector);
  return condition === undefined && meansEveryNode(src, document) && meansEveryNode(wide, document);
}

function judgeContent(acl: PolicyResource): Judgement {
  const text = readString(acl.props, ["acl"]);
  const refused = (what: string, where = "acl") => refuse({ where, what, instead: NARROW });
  if (text.known && text.value?.trim() === "")
    return refused("is empty, which control servers read as their default: everybody reaches everything");
  const reading = readPolicyFile(acl);
  if ("because" in reading) return unjudged({ where: "acl", because: reading.because });
  if (allowsAllBySilence(reading.document))
    return refused("has no grants key, which control servers read as everybody may reach everything");
  const everything = "lets everybody reach everything, so that no other rule restricts anything";
  const wide = rulesOf(reading.document).filter((rule) => allowsAll(rule, reading.document));
  return merge(...wide.map((rule) => refused(everything, `acl ${rule.where}`)));
}

function judgeFlag(acl: PolicyResource, flag: keyof typeof FLAGS): Judgement {
  const value = read(acl.props, flag);
  if (!value.known) return unknown(flag);
  if (value.value !== true) return PASS;
  return refuse({ where: flag, what: FLAGS[flag], instead: `${flag}: false, which is the default` });
}

function judgeAcl(acl: PolicyResource): Judgement {
  return merge(
    judgeFlag(acl, "resetAclOnDestroy"),
    judgeFlag(acl, "overwriteExistingContent"),
    judgeContent(acl),
  );
}

function judgeMagicDns(dns: PolicyResource): Judgement {
  const magicDns = read(dns.props, "magicDns");
  if (!magicDns.known) return unknown("magicDns");
  if (magicDns.value !== false) return PASS;
  const what = "is false, which turns MagicDNS off for the whole tailnet";
  return refuse({ where: "magicDns", what, instead: "magicDns: true" });
}

function judgeProtection(dns: PolicyResource, effect: string): Judgement {
  if (dns.opts.protect) return PASS;
  return refuse({
    where: "options.protect",
    what: `is not set, and destroying the resource ${effect}`,
    instead: "{ protect: true } among the resource's options",
  });
}

function judgeResource(resource: PolicyResource): Verdict {
  if (resource.type === ACL) return judgeAcl(resource);
  const effect = DNS[resource.type];
  return effect === undefined
    ? { notApplicable: "only the tailnet policy file and the tailnet's DNS settings are read" }
    : merge(judgeMagicDns(resource), judgeProtection(resource, effect));
}
