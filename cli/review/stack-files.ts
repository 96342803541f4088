import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** A stack by its file in the repository. */
export interface StackFile {
  readonly stack: string;
  readonly configFile: string;
}

/**
 * Every stack file of a Pulumi program, by the stack's name. Those are the files that people
 * change, production's among them.
 *
 * @param project the program's folder
 */
export function stackFilesOf(project: string): StackFile[] {
  const folder = join(project, stackConfigFolder(project));
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((file) => {
      const stack = /^Pulumi\.([\w.-]+)\.yaml$/.exec(file)?.[1];
      return stack === undefined ? [] : [{ stack, configFile: join(folder, file) }];
    })
    .toSorted((a, b) => a.stack.localeCompare(b.stack, "en"));
}

/** Where a stack's file lies, also one that is not there. */
export const stackFileOf = (project: string, stack: string): string =>
  join(project, stackConfigFolder(project), `Pulumi.${stack}.yaml`);

/** `stackConfigDir` of Pulumi.yaml; before, `config` was its name, and could be nothing else. */
function stackConfigFolder(project: string): string {
  const file = join(project, "Pulumi.yaml");
  if (!existsSync(file)) return "";
  const { stackConfigDir, config } = (parse(readFileSync(file, "utf8")) ?? {}) as Record<string, unknown>;
  const named = stackConfigDir ?? config;
  return typeof named === "string" ? named : "";
}
