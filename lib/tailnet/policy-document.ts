import { getNodeValue, type Node } from "jsonc-parser";
import { UserError } from "../errors.ts";
import type { Grant, PolicyTest } from "./grants.ts";
import { member, parseHujsonObject, place } from "./hujson.ts";
import { lineDifference } from "./line-difference.ts";
import {
  refuseAllowAll,
  refuseAmbiguousKeys,
  refuseImplicitAllowAll,
  refuseOpenProxyPorts,
  type ProxyPorts,
} from "./policy-checks.ts";
import { cutRegions, insertionAfter, regionsOf } from "./marked-blocks.ts";

/** What tailwart adds to the policy file. */
export interface OwnEntries {
  grants: readonly Grant[];
  tagOwners: Readonly<Record<string, readonly string[]>>;
  /** Left out where the control server cannot judge them yet, such as before the nodes are up. */
  tests?: readonly PolicyTest[];
}

export interface MergeOptions {
  /** What the base is called in errors. Default: tailnet.base.hujson */
  path?: string;
  /** Whether a base that opens everything to everybody is taken. Default: refuse */
  allowAll?: "refuse" | "accept";
  /** Ports of Stalwart that the base must leave to the edge. */
  proxy?: ProxyPorts;
}

const BASE_FILE = "tailnet.base.hujson";

/**
 * The user's policy file with tailwart's entries in marked regions. Every other byte stays as it
 * is: comments, order, trailing commas, white space. Regions of an earlier merge are replaced, so
 * merging again changes nothing.
 *
 * @param base the user's own HuJSON text, merged before or not
 * @throws UserError when the base is not HuJSON, has neither `grants` nor `acls` (the control
 *   server reads that as "allow all"), allows everything to everybody, opens a port with PROXY
 *   protocol to others than the edge, or gives one of our tags to other owners
 * @example
 * mergePolicy('{ "grants": [] }', { grants: grantsFor(flows), tagOwners: { "tag:db": [] } })
 * @see https://tailscale.com/docs/reference/syntax/policy-file
 */
export function mergePolicy(base: string, own: OwnEntries, options: MergeOptions = {}): string {
  const path = options.path ?? BASE_FILE;
  const foreign = foreignParts(base, path);
  const root = parseHujsonObject(foreign, path);
  refuseAmbiguousKeys(foreign, root, path);
  refuseImplicitAllowAll(root, path);
  if (options.allowAll !== "accept") refuseAllowAll(foreign, root, path);
  if (options.proxy) refuseOpenProxyPorts(foreign, root, path, options.proxy);

  const insertions = [
    section(foreign, root, "grants", "array", own.grants.map(inline), path),
    section(foreign, root, "tagOwners", "object", ownTagOwners(foreign, root, own.tagOwners, path), path),
    section(foreign, root, "tests", "array", (own.tests ?? []).map(inline), path),
  ];
  const existing = insertions.filter(
    (insertion) => insertion.bracket !== root.offset && insertion.entries.length > 0,
  );
  // Sections that the base lacks become members at the top of the document, in one region.
  const missing = insertions
    .filter((insertion) => insertion.bracket === root.offset)
    .flatMap((insertion) => insertion.entries);
  if (missing.length > 0) existing.push({ bracket: root.offset, entries: missing });

  return existing
    .map(({ bracket, entries }) => insertionAfter(foreign, bracket, entries))
    .sort((a, b) => b.offset - a.offset)
    .reduce(
      (text, insertion) => text.slice(0, insertion.offset) + insertion.text + text.slice(insertion.offset),
      foreign,
    );
}

/**
 * The bytes of a policy file that are not tailwart's: the base, when the file was merged from one.
 *
 * @throws UserError when a region's marks do not match
 */
export function foreignParts(text: string, path: string = BASE_FILE): string {
  parseHujsonObject(text, path);
  return cutRegions(text, regionsOf(text, path));
}

/**
 * How two policy files differ, as lines of `- live` and `+ desired`. Both are empty strings when
 * nothing differs.
 */
export interface PolicyDifference {
  /** In what belongs to others. */
  foreign: string;
  /** In tailwart's regions: a hand edit there. */
  own: string;
}

/** Compares the live policy file with the one to be written, apart for foreign and own parts. */
export function diffPolicy(live: string, desired: string): PolicyDifference {
  return {
    foreign: lineDifference(foreignParts(live, "the live policy file"), foreignParts(desired)),
    own: lineDifference(ownParts(live), ownParts(desired)),
  };
}

/** The text of tailwart's regions, marks included, one a line; empty when the file has none. */
export function ownParts(text: string): string {
  return regionsOf(text, "the policy file")
    .map(({ start, end }) => text.slice(start, end).trim())
    .join("\n");
}

function section(
  text: string,
  root: Node,
  name: string,
  type: "array" | "object",
  entries: readonly string[],
  path: string,
) {
  const value = member(root, name);
  if (!value) {
    const [open, close] = type === "array" ? ["[", "]"] : ["{", "}"];
    const body = entries.map((entry) => `  ${entry},\n`).join("");
    return {
      bracket: root.offset,
      entries: entries.length > 0 ? [`"${name}": ${open}\n${body}${close}`] : [],
    };
  }
  if (value.type !== type) {
    throw new UserError(`${path}: "${name}" at ${place(text, value.offset)} is not an ${type}`, {
      path: name,
      hint: type === "array" ? `write: "${name}": []` : `write: "${name}": {}`,
    });
  }
  return { bracket: value.offset, entries: [...entries] };
}

/** Our tag owners without those that the base already has in the same words. */
function ownTagOwners(text: string, root: Node, owners: OwnEntries["tagOwners"], path: string): string[] {
  const section = member(root, "tagOwners");
  return Object.entries(owners).flatMap(([tag, wanted]) => {
    const node = section && member(section, tag);
    if (!node) return [`${JSON.stringify(tag)}: ${inline([...wanted])}`];
    const found: unknown = getNodeValue(node);
    if (!Array.isArray(found) || !sameItems(found, wanted)) {
      throw new UserError(
        `${path}: ${tag} is owned by ${inline(found)} at ${place(text, node.offset)}, tailwart needs ${inline([...wanted])}`,
        {
          path: `tagOwners.${tag}`,
          hint: `remove ${tag} from the file's tagOwners, or configure another tag for tailwart`,
        },
      );
    }
    return [];
  });
}

/**
 * One entry on one line, with a space behind each comma and colon, as people write policy files.
 */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${inline(item)}`);
  return `{ ${members.join(", ")} }`;
}

function sameItems(found: readonly unknown[], wanted: readonly string[]): boolean {
  return JSON.stringify([...found].sort()) === JSON.stringify([...wanted].sort());
}
