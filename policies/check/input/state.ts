import { findNodeAtLocation, parse, parseTree, type Node, type ParseError } from "jsonc-parser";

import { isRecord, list, record, strings } from "../../../lib/json-values.ts";
import { specialSecretSig, specialSigKey } from "../../framework/wire/inputs.ts";
import { secret, UNKNOWN, type Place, type Source, type Stack } from "../resource.ts";
import { UnreadableInput } from "../yaml.ts";

/** Whether JSON is what `pulumi stack export` writes. */
export const isState = (head: string): boolean => /^\s*\{[^{}]*"deployment"\s*:\s*\{/.test(head);

/**
 * The resources of a state, by the inputs that they were made of. An encrypted secret is one whose
 * value is not known; nothing is decrypted.
 *
 * @throws UnreadableInput with the line
 */
export function stateOf(text: string, file: string): Stack {
  const errors: ParseError[] = [];
  const document: unknown = parse(text, errors);
  const [error] = errors;
  if (error) {
    const line = text.slice(0, error.offset).split("\n").length;
    throw new UnreadableInput({ file, line }, "no JSON");
  }
  const deployment = record(record(document)["deployment"]);
  const rows = list(deployment["resources"]).filter(isRecord);
  // What is only waiting to be deleted is none of the stack's any more.
  const kept = rows.filter(({ urn, delete: isDoomed }) => typeof urn === "string" && isDoomed !== true);
  let tree: Node | undefined;
  const lineOf = (index: number): number => {
    tree ??= parseTree(text);
    const node = tree && findNodeAtLocation(tree, ["deployment", "resources", index]);
    return node ? text.slice(0, node.offset).split("\n").length : 1;
  };
  const resources = kept.map((row) => resourceOf(row, file, () => lineOf(rows.indexOf(row))));
  return { name: file, at: { file, line: 1 }, resources };
}

function resourceOf(row: Record<string, unknown>, file: string, lineOf: () => number): Source {
  const urn = String(row["urn"]);
  const name = urn.split("::").slice(3).join("::");
  const dependencies = Object.fromEntries(
    Object.entries(record(row["propertyDependencies"])).map(([input, urns]) => [input, strings(urns)]),
  );
  const at: Place = {
    file,
    // Most resources have no finding, and the tree of a large state takes its time.
    get line() {
      return lineOf();
    },
    shown: name,
  };
  return {
    type: String(row["type"]),
    name,
    urn,
    inputs: revealed(record(row["inputs"])) as Record<string, unknown>,
    protect: row["protect"] === true,
    ...(typeof row["parent"] === "string" && { parent: row["parent"] }),
    dependencies,
    at,
    places: new Map(),
  };
}

/** What is no JSON is as unknown as what is encrypted; the parser's own words would quote it. */
function plainOf(plaintext: string): unknown {
  try {
    return JSON.parse(plaintext);
  } catch {
    return UNKNOWN;
  }
}

/** Secrets of a state: `ciphertext`, or with `--show-secrets` JSON in `plaintext`. */
function revealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revealed);
  if (!isRecord(value)) return value;
  if (value[specialSigKey] === specialSecretSig) {
    const { plaintext } = value;
    return secret(typeof plaintext === "string" ? revealed(plainOf(plaintext)) : UNKNOWN);
  }
  const entries = Object.entries(value).map(([key, inner]) => [key, revealed(inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}
