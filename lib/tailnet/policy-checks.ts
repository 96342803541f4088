import { getNodeValue, type Node } from "jsonc-parser";
import { UserError } from "../errors.ts";
import { keysOf, member, place } from "./hujson.ts";
import { rulesOf, type PolicyDocument, type Rule } from "./access-rules.ts";
import { isOpen } from "./reach.ts";
import { isOneAddress, matches } from "./selectors.ts";

/** The ports where Stalwart believes the PROXY header of whoever connects, and who alone may. */
export interface ProxyPorts {
  /** Tag of Stalwart's node. */
  readonly tag: string;
  /** Tag of the edge. */
  readonly edge: string;
  /** TCP ports. */
  readonly ports: readonly number[];
}

/**
 * Refuses a section that stands twice, or under a name that only control servers without regard to
 * case take.
 */
export function refuseAmbiguousKeys(text: string, root: Node, path: string): void {
  const seen = new Set<string>();
  for (const key of keysOf(root)) {
    const known = ["grants", "tagOwners", "tests", "acls"].find(
      (name) => name.toLowerCase() === key.toLowerCase(),
    );
    if (seen.has(key.toLowerCase())) {
      throw new UserError(`${path}: "${key}" stands twice`, {
        path: key,
        hint: "put the entries of both into one section",
      });
    }
    // Control servers match names without regard to case, so "Grants" beside ours would be a second
    // section.
    if (known && known !== key)
      throw new UserError(`${path}: "${key}" must be written "${known}"`, {
        path: key,
        hint: `write: "${known}"`,
      });
    seen.add(key.toLowerCase());
  }
  const owners = member(root, "tagOwners");
  const tags = owners?.type === "object" ? keysOf(owners) : [];
  const twice = tags.find((tag, index) => tags.indexOf(tag) !== index);
  if (twice)
    throw new UserError(`${path}: "${twice}" stands twice in tagOwners`, {
      path: `tagOwners.${twice}`,
      hint: `keep one line for ${twice} (tagOwners at ${place(text, owners?.offset ?? 0)})`,
    });
}

/** Refuses a file that opens everything by saying nothing. */
export function refuseImplicitAllowAll(root: Node, path: string): void {
  if (member(root, "grants") || member(root, "acls")) return;
  throw new UserError(
    `${path} has neither "grants" nor "acls", which control servers read as "everybody may reach everything"`,
    {
      path: "grants",
      hint: 'write "grants": [] and add what your own devices need, such as { "src": ["autogroup:member"], "dst": ["autogroup:self"], "ip": ["*"] }',
    },
  );
}

/** Refuses a file in which one entry opens everything to everybody. */
export function refuseAllowAll(text: string, root: Node, path: string): void {
  for (const name of ["grants", "acls"] as const) {
    for (const [index, entry] of (member(root, name)?.children ?? []).entries()) {
      if (!allowsAll(name, getNodeValue(entry))) continue;
      throw new UserError(
        `${path}: ${name}[${index}] at ${place(text, entry.offset)} lets everybody reach everything, so no grant of tailwart restricts anything`,
        {
          path: `${name}[${index}]`,
          hint: 'grant what is needed instead, such as { "src": ["autogroup:member"], "dst": ["autogroup:self"], "ip": ["*"] }',
        },
      );
    }
  }
}

function allowsAll(section: "grants" | "acls", entry: unknown): boolean {
  if (typeof entry !== "object" || entry === null) return false;
  const { src, dst, ip, users, ports } = entry as Record<string, unknown>;
  const has = (list: unknown, ...wildcards: string[]) =>
    Array.isArray(list) && wildcards.some((wildcard) => list.includes(wildcard));
  if (section === "grants") return has(src, "*") && has(dst, "*") && has(ip, "*", "tcp:*");
  return has(src ?? users, "*") && has(dst ?? ports, "*:*");
}

/**
 * Refuses a file that lets anybody but the edge reach a port where Stalwart believes PROXY headers:
 * whoever reaches one claims to be any client, past bans, rate limits and SPF (decision 8).
 *
 * What cannot be told from the file, such as a posture or a network that Stalwart's node may be in,
 * counts as open. A single address does not: the file's owner has named one machine, and a node's
 * address is never ours to know (lesson 6).
 */
export function refuseOpenProxyPorts(text: string, root: Node, path: string, proxy: ProxyPorts): void {
  const document = getNodeValue(root) as PolicyDocument;
  const open = rulesOf(document).flatMap((rule) => {
    const sources = [...new Set(rule.src)].filter((source) => source !== proxy.edge);
    const ports = openPorts(rule, proxy, document);
    if (sources.length === 0 || ports.length === 0) return [];
    const [, section = "", index] = /^(\w+)\[(\d+)\]$/.exec(rule.where) ?? [];
    const entry = member(root, section)?.children?.[Number(index)];
    const at = entry ? ` at ${place(text, entry.offset)}` : "";
    return [
      {
        where: rule.where,
        says: `${rule.where}${at} lets ${sources.join(", ")} reach tcp ${ports.join(", ")}`,
      },
    ];
  });
  const [first] = open;
  if (!first) return;
  throw new UserError(
    `${path}: ${open.map(({ says }) => says).join("; ")} of ${proxy.tag}, where Stalwart believes any PROXY header, so that ` +
      `whoever connects claims to be any client (lesson 3); only ${proxy.edge} may`,
    {
      path: first.where,
      hint: `name what is meant instead, without ${proxy.tag}: such as "dst": ["autogroup:self"] or "dst": ["tag:nas"] in the place of "*"`,
    },
  );
}

function openPorts({ destinations }: Rule, { tag, ports }: ProxyPorts, document: PolicyDocument): number[] {
  const reached = destinations.filter(
    ({ selector }) =>
      !isOneAddress(selector, document) && matches(selector, { tags: [tag] }, document).answer !== "no",
  );
  return ports.filter((port) => reached.some((one) => isOpen(one, "tcp", port).answer !== "no"));
}
