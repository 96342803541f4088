import { parseArgs } from "node:util";

import { layoutOf } from "../../lab/topology.ts";
import { UserError } from "../../lib/errors.ts";

/** What every command on a lab takes. */
export interface LabArguments {
  /** The lab's name. */
  name: string;
  rest: string[];
  values: Record<string, string | boolean | string[] | undefined>;
}

/**
 * Reads a command's arguments. `--help` prints the usage and ends; a wrong argument ends with exit
 * code 2.
 *
 * @param extra further options of the command
 * @param takesMore whether words that are no option go into `rest`. Default: they are wrong
 */
export function labArguments(
  usage: string,
  extra: Record<string, { type: "string" | "boolean"; multiple?: boolean }> = {},
  takesMore = false,
): LabArguments {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: takesMore,
      options: { name: { type: "string" }, help: { type: "boolean", short: "h" }, ...extra },
    });
    if (values["help"]) {
      console.log(usage);
      process.exit(0);
    }
    const all = values as LabArguments["values"];
    const name = (all["name"] as string | undefined) ?? process.env["TAILWART_LAB"] ?? "lab";
    layoutOf(name);
    return { name, rest: positionals, values: all };
  } catch (error) {
    return wrongUsage(error instanceof UserError ? error.message : firstSentence(error as Error), usage);
  }
}

/** Says what is wrong with the arguments, and how they are written; ends with exit code 2. */
export function wrongUsage(what: string, usage: string): never {
  console.error(`${what}\n\n${usage}`);
  process.exit(2);
}

/** Node goes on about words that begin with a dash, which none of the commands takes. */
const firstSentence = ({ message }: Error) => message.split(/(?<=[^.])\. /)[0] ?? message;
