import { getNodeValue } from "jsonc-parser";
import { strings } from "../json-values.ts";
import { member, parseHujsonObject } from "./hujson.ts";

/** One entry of the policy file's `nodeAttrs`. */
interface NodeAttribute {
  target: string[];
  attr: string[];
}

/**
 * Whether MagicDNS may answer a AAAA query of one tagged node for another, judged from `nodeAttrs`.
 *
 * By default it does not: a node that has an IPv4 address of its own is not told the IPv6 addresses of peers that have
 * one too. Three things change that: `magicdns-aaaa` on the asking node, and `disable-ipv4` on either.
 * An entry that cannot be judged from the policy file alone (a host, an address) counts as reaching the node.
 *
 * @param policy the policy file's HuJSON text
 * @param asker the tag of the node that asks, such as tag:stalwart
 * @param target the tag of the node that is asked for, such as tag:mail
 * @see tailscale.com v1.102.5, ipn/ipnlocal/node_backend.go, magicDNSAddrs
 */
export function aaaaPossibleFor(policy: string, asker: string, target: string): boolean {
  const attributes = nodeAttributesOf(policy);
  return (
    hasAttribute(attributes, "magicdns-aaaa", asker) ||
    hasAttribute(attributes, "disable-ipv4", asker) ||
    hasAttribute(attributes, "disable-ipv4", target)
  );
}

function hasAttribute(attributes: readonly NodeAttribute[], name: string, tag: string): boolean {
  return attributes.some(
    ({ target, attr }) => attr.includes(name) && target.some((selector) => reaches(selector, tag)),
  );
}

/** A tagged node belongs to no user, so users, groups and the autogroups of people do not reach it. */
function reaches(selector: string, tag: string): boolean {
  if (selector === tag || selector === "*" || selector === "autogroup:tagged") return true;
  return !/^(?:tag:|group:|autogroup:)|@/.test(selector);
}

function nodeAttributesOf(policy: string): NodeAttribute[] {
  const section = member(parseHujsonObject(policy, "the policy file"), "nodeAttrs");
  const entries: unknown = section && getNodeValue(section);
  return (Array.isArray(entries) ? entries : []).map((entry: Partial<NodeAttribute> | null) => ({
    target: strings(entry?.target),
    attr: strings(entry?.attr),
  }));
}
