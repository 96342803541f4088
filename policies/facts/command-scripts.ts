import type { PolicyResource } from "../framework/policy.ts";
import { formatPath, listAt, read, readString, walk } from "../framework/values.ts";

/** Stands for what is only known when a script runs. */
export const OPEN = "\0";

/** What one run of a command does: on create, or on update where that is another script. */
export interface Script {
  readonly phase: "create" | "update";
  /** All its texts, the command line last. */
  readonly text: string;
  /** The words that are run: an interpreter and the command line. */
  readonly words: readonly string[];
  readonly stdin: string;
  readonly variables: ReadonlyMap<string, string>;
  /** Inputs of it that are unknown at preview. */
  readonly gaps: readonly string[];
}

export const isCommand = (resource: PolicyResource): boolean =>
  /^command:(?:local|remote):Command$/.test(resource.type);

/** Long command lines go on in the next one after a backslash. */
const withoutComments = (text: string): string =>
  text.replace(/^[ \t]*#.*$|[ \t]#[ \t].*$/gm, "").replace(/\\\r?\n[ \t]*/g, " ");

/** A command's scripts, with what their environment and stdin hold. */
export function scriptsOf({ props }: PolicyResource): Script[] {
  const before: string[] = [];
  const gaps: string[] = [];
  const variables = new Map<string, string>();
  for (const input of ["stdin", "environment"]) {
    const value = read(props, input);
    if (!value.known) gaps.push(input);
    else {
      const { leaves, gaps: inner } = walk([value.value]);
      before.push(...leaves.map((leaf) => String(leaf.value)));
      for (const leaf of leaves) variables.set(String(leaf.path[1]), String(leaf.value));
      gaps.push(...inner.map(({ path }) => formatPath([input, ...path.slice(1)])));
    }
  }
  const stdin = readString(props, ["stdin"]);
  const interpreter = listAt(props, ["interpreter"]).entries.map(({ entry }) =>
    entry.known ? String(entry.value) : OPEN,
  );
  const shell = interpreter.length > 0 ? interpreter : ["sh", "-c"];
  return (["create", "update"] as const).flatMap((phase) => {
    const line = readString(props, [phase]);
    if (line.known && line.value === undefined) return [];
    return [
      {
        phase,
        text: [...before, line.value ?? ""].map(withoutComments).join("\n"),
        words: [...shell, line.value ?? OPEN],
        stdin: stdin.known ? (stdin.value ?? "") : OPEN,
        variables,
        gaps: line.known ? gaps : [...gaps, phase],
      },
    ];
  });
}
