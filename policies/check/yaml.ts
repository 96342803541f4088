import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from "yaml";

import type { At, Located } from "./located.ts";

/** What keeps an input from being read. */
export class UnreadableInput extends Error {
  readonly at: At;

  constructor(at: At, message: string) {
    super(message);
    this.name = "UnreadableInput";
    this.at = at;
  }
}

/**
 * Reads YAML with the line of each value; anchors and merge keys are followed.
 *
 * @param file as it is reported
 * @throws UnreadableInput with the line of the first mistake
 */
export function readYaml(text: string, file: string): Located {
  const lines = new LineCounter();
  // Compose's own tags (!reset, !override) are no types of YAML's, and looked at by name.
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    logLevel: "silent",
    uniqueKeys: false,
  });
  const [error] = document.errors;
  if (error)
    throw new UnreadableInput(
      { file, line: error.linePos?.[0].line ?? 1 },
      `no YAML: ${error.message.split(/ at line |:?\n/)[0] ?? ""}`,
    );
  const reading: Reading = {
    place: (offset) => ({ file, line: lines.linePos(offset).line }),
    targets: targetsIn(document),
    left: MAX_NODES,
  };
  return locate(document.contents, reading, 0);
}

interface Reading {
  readonly place: (offset: number) => At;
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<unknown, unknown>;
  /** How many nodes may still be read. */
  left: number;
}

/** Aliases in circles end here. */
const MAX_DEPTH = 64;
/** Bombs of aliases end here; no file that a person writes has as many. */
const MAX_NODES = 100_000;

/** Finds all at once: the library looks through the whole document for each alias. */
function targetsIn(document: Document): ReadonlyMap<unknown, unknown> {
  const anchors = new Map<string, unknown>();
  const targets = new Map<unknown, unknown>();
  visit(document, (_, node) => {
    if (isAlias(node)) targets.set(node, anchors.get(node.source));
    else if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined)
      anchors.set(node.anchor, node);
  });
  return targets;
}

function locate(node: unknown, reading: Reading, depth: number): Located {
  const { place, targets } = reading;
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  const at = place(range?.[0] ?? 0);
  if (depth > MAX_DEPTH) throw new UnreadableInput(at, "no YAML: nested too deep");
  if (reading.left-- <= 0) throw new UnreadableInput(at, `no YAML: more than ${MAX_NODES} nodes`);
  if (isAlias(node)) return locate(targets.get(node), reading, depth + 1);
  const tag = (node as { tag?: string } | null)?.tag;
  if (isSeq(node))
    return {
      kind: "sequence",
      tag,
      at,
      items: node.items.map((item) => locate(item, reading, depth + 1)),
    };
  if (isMap(node)) {
    const merged = new Map<string, Located>();
    const mergedKeys = new Map<string, At>();
    const own = new Map<string, Located>();
    const ownKeys = new Map<string, At>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : String(key);
      const inner = locate(value, reading, depth + 1);
      if (isScalar(key) && (key.value === "<<" || typeof key.value === "symbol")) {
        // The first of several has precedence.
        for (const one of (inner.kind === "sequence" ? inner.items : [inner]).toReversed())
          if (one.kind === "mapping")
            for (const [inherited, node] of one.entries) {
              merged.set(inherited, node);
              mergedKeys.set(inherited, one.keys.get(inherited) ?? node.at);
            }
        continue;
      }
      own.set(name, inner);
      ownKeys.set(name, place((key as { range?: readonly number[] } | null)?.range?.[0] ?? 0));
    }
    const entries = new Map([...merged, ...own]);
    return { kind: "mapping", tag, at, entries, keys: new Map([...mergedKeys, ...ownKeys]) };
  }
  const value = isScalar(node) ? node.value : null;
  const plain =
    value === null || typeof value === "number" || typeof value === "boolean"
      ? value
      : String(value as string);
  const isBlock = isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
  return { kind: "scalar", tag, at, value: plain, ...(isBlock && { isBlock }) };
}
