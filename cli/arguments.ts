import { parseArgs } from "node:util";

import { UserError } from "../lib/errors.ts";

/** What every command on a lab takes. */
export interface LabArguments {
  /** The lab's name. */
  name: string;
  rest: string[];
  values: Record<string, string | boolean | undefined>;
}

/**
 * Reads a command's arguments. `--help` prints the usage and ends; a wrong argument ends with exit code 2.
 *
 * @param extra further options of the command
 */
export function labArguments(
  usage: string,
  extra: Record<string, { type: "string" | "boolean" }> = {},
): LabArguments {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { name: { type: "string" }, help: { type: "boolean" }, ...extra },
    });
    if (values["help"]) {
      console.log(usage);
      process.exit(0);
    }
    const all = values as Record<string, string | boolean | undefined>;
    return {
      name: (all["name"] as string | undefined) ?? process.env["TAILWART_LAB"] ?? "lab",
      rest: positionals,
      values: all,
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(2);
  }
}

/** The lab runs on Linux as root only; the program itself also deploys from macOS. @throws UserError elsewhere */
export function requireLabMachine(): void {
  if (process.platform !== "linux") {
    throw new UserError("the lab runs on Linux only", {
      hint: "deploy the stack prod from here with plain `pulumi up`; docs/deploy.md says how",
    });
  }
  if (process.getuid?.() !== 0) {
    throw new UserError("the lab needs root: it makes network namespaces and Docker daemons of its own", {
      hint: "run: sudo npm run up",
    });
  }
}
