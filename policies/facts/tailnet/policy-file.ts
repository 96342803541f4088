import { parse as parseJsonc, type ParseError } from "jsonc-parser";

import { isMagicDnsName } from "../../../lib/addresses.ts";
import { strings } from "../../../lib/json-values.ts";
import type { PolicyDocument } from "../../../lib/tailnet/access-rules.ts";
import type { PolicyResource } from "../../framework/policy.ts";
import { readString, walk } from "../../framework/values.ts";
import { advertisedTagsOf, CONTAINER } from "../docker/containers.ts";
import { plainName } from "../hosts.ts";
import { ownTexts, SIDECAR } from "../own-resources.ts";

export const ACL = "tailscale:index/acl:Acl";

/** The parts of the tailnet policy file that decide what MagicDNS answers. */
export interface AclDocument {
  readonly nodeAttrs: readonly { readonly target: readonly string[]; readonly attr: readonly string[] }[];
  readonly grants: readonly { readonly src: readonly string[]; readonly dst: readonly string[] }[];
}

/** The stack's tailnet policy file, or why it cannot be judged by. */
export type AclReading = { readonly document: AclDocument } | { readonly because: string };
export type PolicyReading = { readonly document: PolicyDocument } | { readonly because: string };

const records = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value)
    ? value.filter((item): item is Record<string, unknown> => typeof item === "object" && item !== null)
    : [];

/** The whole tailnet policy file of an {@link ACL} resource. */
export function readPolicyFile(acl: PolicyResource): PolicyReading {
  const text = readString(acl.props, ["acl"]);
  if (!text.known) return { because: "the tailnet policy file is unknown until the update" };
  const errors: ParseError[] = [];
  let document: unknown;
  try {
    document = parseJsonc(text.value ?? "", errors, { allowTrailingComma: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // nested too deep for the call stack
  }
  return errors.length > 0 || typeof document !== "object" || document === null || Array.isArray(document)
    ? { because: "the tailnet policy file cannot be parsed as HuJSON" }
    : { document: document as PolicyDocument };
}

/** Reads the tailnet policy file out of the stack's own resources; no request is made. */
export function readAcl(resources: readonly PolicyResource[]): AclReading {
  const acl = resources.find((resource) => resource.type === ACL);
  if (!acl) return { because: "the stack has no tailnet policy file (tailscale.Acl) to judge the name by" };
  const reading = readPolicyFile(acl);
  if ("because" in reading) return reading;
  const { nodeAttrs, grants, acls } = reading.document;
  return {
    document: {
      nodeAttrs: records(nodeAttrs).map((entry) => ({
        target: strings(entry["target"]),
        attr: strings(entry["attr"]),
      })),
      grants: [...records(grants), ...records(acls)].map((entry) => ({
        src: strings(entry["src"]),
        dst: strings(entry["dst"]),
      })),
    },
  };
}

/** Tags of the stack's own nodes: from auth keys, containerboot's arguments, a sidecar's args. */
export function askerTags(resources: readonly PolicyResource[]): Set<string> {
  const tags = new Set<string>();
  for (const resource of resources) {
    if (resource.type === CONTAINER) {
      for (const tag of advertisedTagsOf(resource) ?? []) tags.add(tag);
    } else if (
      resource.type === SIDECAR ||
      /^tailscale:index\/(?:tailnetKey|oauthClient):/.test(resource.type)
    ) {
      for (const { path, value } of walk(resource.props).leaves) {
        const own =
          path.some((key) => key === "tag" || key === "tags") &&
          (path.at(-1) === "stalwart" || !path.includes("tailnet"));
        if (own && typeof value === "string" && value.startsWith("tag:")) tags.add(value);
      }
    }
  }
  return tags;
}

/** Tags of the relay: `relay.tag` or `tailnet.tags.relay`, else what the asker may reach. */
export function relayTags(
  resources: readonly PolicyResource[],
  document: AclDocument,
  askers: ReadonlySet<string>,
): Set<string> {
  const stated = ownTexts(resources, /(?:relay\.tag|tags\.relay)$/).filter((text) => text.startsWith("tag:"));
  if (stated.length > 0) return new Set(stated);
  const granted = document.grants.filter((grant) => grant.src.some((src) => src === "*" || askers.has(src)));
  return new Set(granted.flatMap((grant) => grant.dst).flatMap((dst) => /^tag:[^:]+/.exec(dst)?.[0] ?? []));
}

/** Whether a node attribute reaches a node with one of the tags; "maybe" if none is known. */
export function attributeReaches(
  document: AclDocument,
  attribute: string,
  tags: ReadonlySet<string>,
): "yes" | "no" | "maybe" {
  const targets = document.nodeAttrs
    .filter((entry) => entry.attr.includes(attribute))
    .flatMap((entry) => entry.target);
  if (targets.some((target) => target === "*" || target === "autogroup:tagged" || tags.has(target)))
    return "yes";
  // A tagged node belongs to no user, so a target that is a user or a group does not reach it.
  const open = targets.filter(
    (target) => target.startsWith("tag:") || !/^(?:autogroup:|group:|.*@)/.test(target),
  );
  return open.length === 0 || (tags.size > 0 && open.every((target) => target.startsWith("tag:")))
    ? "no"
    : "maybe";
}

/** The tailnet's DNS names that the stack's components state, such as `tailnet.domain`. */
export function tailnetDomains(resources: readonly PolicyResource[]): string[] {
  return ownTexts(resources, /(?:^|\.)(?:tailnet\.domain|tailnetDomain|magicDnsDomain)$/);
}

/** True for a name that MagicDNS answers: in *.ts.net, in a given domain, or of one label. */
export function isTailnetName(name: string, domains: readonly string[]): boolean {
  const bare = plainName(name);
  return (
    bare.endsWith(".ts.net") || !bare.includes(".") || domains.some((domain) => isMagicDnsName(bare, domain))
  );
}
