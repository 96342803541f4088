import { itemsOf, textOf, type At, type Located } from "../located.ts";
import { UNKNOWN, type Place } from "../resource.ts";

/** A value as it is, and as a policy that looks for secrets sees it. */
export interface Both {
  readonly value: unknown;
  readonly written?: unknown;
}

/** The inputs of a container while they are put together, each with its place. */
export class Inputs {
  readonly inputs: Record<string, unknown> = {};
  readonly written: Record<string, unknown> = {};
  readonly places = new Map<string, Place>();
  readonly #shown: string;

  /** @param shown what the service is called in its file, such as `services.mail` */
  constructor(shown: string) {
    this.#shown = shown;
  }

  /** @param key of the service, such as `network_mode` */
  shown(key: string): string {
    return `${this.#shown}.${key}`;
  }

  set(input: string, { value, written = value }: Both, place: Place): void {
    this.inputs[input] = value;
    this.written[input] = written;
    this.places.set(input, place);
  }

  /** Adds to a list, and gives the path of the item. */
  push(list: string, { value, written = value }: Both, place: Place): string {
    const items = (this.inputs[list] ??= []) as unknown[];
    const path = `${list}[${items.push(value) - 1}]`;
    ((this.written[list] ??= []) as unknown[]).push(written);
    this.places.set(path, place);
    if (!this.places.has(list)) this.places.set(list, place);
    return path;
  }

  /** One plain value; unknown where a variable in it has none. */
  scalar(input: string, node: Located | undefined, key: string): void {
    if (node?.kind !== "scalar" || node.value === null) return;
    const { value, written } = bothOf(node);
    // A variable's value is a text, and a user's id a number, whatever the input is.
    const plain =
      typeof value === "number"
        ? String(value)
        : /^(?:true|false)$/.test(String(value))
          ? `${value}` === "true"
          : value;
    this.set(
      input,
      { value: plain, ...(written !== undefined && { written }) },
      placeOf(node, this.shown(key)),
    );
  }

  /** A list of plain values. */
  list(input: string, node: Located | undefined, key: string): void {
    for (const [index, item] of itemsOf(node).entries())
      if (item.kind === "scalar")
        this.push(input, bothOf(item), placeOf(item, `${this.shown(key)}[${index}]`));
  }
}

/** A scalar as an input. */
export function bothOf(node: Located): Both {
  if (node.kind !== "scalar") return { value: undefined };
  if (node.unset) return { value: UNKNOWN };
  return { value: node.value, ...(node.written !== undefined && { written: node.written }) };
}

/** The place of a value, and why it is unknown where it is. */
export function placeOf(node: Located, shown: string, at: At = node.at): Place {
  const unset = node.kind === "scalar" ? node.unset : undefined;
  return { ...at, shown, ...(unset && { unknownBecause: withoutValue(unset) }) };
}

/** @example withoutValue(["A", "B"]) === "${A} and ${B} have no value here" */
export function withoutValue(names: readonly string[]): string {
  const list = [...new Set(names)].map((name) => `\${${name}}`);
  return `${list.join(" and ")} ${list.length === 1 ? "has" : "have"} no value here`;
}

/** A text that is known, or undefined. */
export const knownText = (node: Located | undefined): string | undefined =>
  node?.kind === "scalar" && node.unset ? undefined : textOf(node);
