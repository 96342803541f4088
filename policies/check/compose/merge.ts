import { entriesOf, itemsOf, textOf, withEntries, type At, type Located, type Mapping } from "../located.ts";

/** Where a later file gives a list anew, it takes the place of the earlier one. */
const REPLACED = /^(?:command|entrypoint|healthcheck\.test)$/;
/** Lists that may as well be written as mappings; their entries are told apart by name. */
const NAMED =
  /^(?:environment|labels|annotations|sysctls|extra_hosts|build\.args|depends_on|networks|healthcheck|logging\.options)$/;
/** Lists whose entries are told apart by what they are in the container. */
const BY_TARGET = /^(?:volumes|devices|configs|secrets)$/;

/**
 * Puts a service over another: from an override file, or over the one that it extends.
 *
 * @see https://docs.docker.com/reference/compose-file/merge/
 */
export function mergeService(base: Mapping, over: Mapping): Mapping {
  return merge(base, over, "") as Mapping;
}

function merge(base: Located, over: Located, path: string): Located | undefined {
  if (over.tag === "!reset") return undefined;
  if (over.tag === "!override" || REPLACED.test(path)) return over;
  if (NAMED.test(path)) return mergeMappings(asMapping(base), asMapping(over), path);
  if (BY_TARGET.test(path)) {
    const targets = new Set(itemsOf(over).map(targetOf));
    const kept = itemsOf(base).filter((item) => !targets.has(targetOf(item)));
    return { kind: "sequence", at: over.at, items: [...kept, ...itemsOf(over)] };
  }
  if (base.kind === "mapping" && over.kind === "mapping") return mergeMappings(base, over, path);
  if (base.kind === "sequence" || over.kind === "sequence")
    return { kind: "sequence", at: over.at, items: unique([...itemsOf(base), ...itemsOf(over)]) };
  return over;
}

function mergeMappings(base: Mapping, over: Mapping, path: string): Mapping {
  const entries = new Map(entriesOf(base).map((entry) => [entry.key, entry]));
  for (const entry of entriesOf(over)) {
    const before = entries.get(entry.key);
    const inner = path === "" ? entry.key : `${path}.${entry.key}`;
    const node = before
      ? merge(before.node, entry.node, inner)
      : entry.node.tag === "!reset"
        ? undefined
        : entry.node;
    if (node) entries.set(entry.key, { ...entry, node });
    else entries.delete(entry.key);
  }
  return withEntries(over, [...entries.values()]);
}

/** `[ "A=b" ]` and `{ A: b }` are one. A name alone has no value. */
export function asMapping(node: Located): Mapping {
  if (node.kind === "mapping") return node;
  const entries = itemsOf(node).flatMap((item) => {
    if (item.kind !== "scalar") return [];
    const text = textOf(item) ?? "";
    // extra_hosts has host:ip, and depends_on and networks have names alone.
    const [, key = text] = /^([^=]*)=/.exec(text) ?? /^([^:]+):/.exec(text) ?? [];
    const hasValue = key.length < text.length;
    const written = item.written?.slice(key.length + 1);
    const value = hasValue ? text.slice(key.length + 1) : null;
    return [{ key, at: item.at, node: { ...item, value, ...(written !== undefined && { written }) } }];
  });
  const empty: Mapping = { kind: "mapping", entries: new Map(), keys: new Map<string, At>(), at: node.at };
  return withEntries(empty, entries);
}

/** What a volume, device or secret is in the container. */
export function targetOf(item: Located): string {
  if (item.kind === "mapping") {
    const target = item.entries.get("target") ?? item.entries.get("source");
    return textOf(target) ?? "";
  }
  const parts = splitVolume(textOf(item) ?? "");
  return parts[1] ?? parts[0] ?? "";
}

/** The parts of `source:target:options`; a colon within `${…}` is none of the separators. */
export const splitVolume = (text: string): string[] => text.match(/(?:\$\{[^}]*\}|[^:])+/g) ?? [];

function unique(items: readonly Located[]): Located[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = item.kind === "scalar" ? String(item.value) : JSON.stringify(plain(item));
    return !seen.has(key) && seen.add(key);
  });
}

/** A value without its places. */
export function plain(node: Located): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "sequence") return node.items.map(plain);
  return Object.fromEntries(entriesOf(node).map(({ key, node: value }) => [key, plain(value)]));
}
