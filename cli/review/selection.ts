import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { UserError } from "../../lib/errors.ts";
import { isDeployable } from "./dummies.ts";
import { openOwnStack, openTemporaryStack, type StackSource } from "./engine.ts";
import type { OpenStack } from "./engine-runs.ts";
import { stackFileOf, stackFilesOf } from "./stack-files.ts";

/** What the command's arguments say of the stacks. */
export interface Selection {
  /** The program's folder. */
  readonly project: string;
  /** One alone. Undefined: every stack file. */
  readonly stack?: string | undefined;
  readonly state?: string | undefined;
  readonly configFile?: string | undefined;
  /** With dummies for secrets and without a state, also where the file holds secrets. */
  readonly fromNothing: boolean;
  /** Whether a stack may be without a file, as one of a stranger's program. */
  readonly mayLackFile: boolean;
}

/**
 * Which stacks are reviewed: the named one, or every one whose file is in the repository.
 *
 * @throws UserError when there is no program, or no file of the named stack
 */
export function selected(selection: Selection): StackSource[] {
  const { project, stack, mayLackFile } = selection;
  if (!existsSync(join(project, "Pulumi.yaml")))
    throw new UserError(`there is no Pulumi.yaml in ${project}`, {
      hint: "write: --cwd with the program's folder",
    });
  const found = stack === undefined ? stackFilesOf(project) : [];
  if (found.length > 0) return found.map((file) => ({ ...file, project }));
  const name = stack ?? "review";
  const configFile = resolve(selection.configFile ?? stackFileOf(project, name));
  if (existsSync(configFile)) return [{ stack: name, project, configFile }];
  if (!mayLackFile || selection.configFile !== undefined)
    throw new UserError(`there is no file ${configFile}`, {
      hint: "write: --stack prod, or --config-file FILE",
    });
  return [{ stack: name, project }];
}

/** Opens a stack as the arguments say: in your own backend only one that you have named. */
export function openSelected(source: StackSource, selection: Selection): Promise<OpenStack> {
  const { stack, state, fromNothing } = selection;
  if (state !== undefined) return openTemporaryStack(source, resolve(state));
  const { configFile } = source;
  const isOwn = stack !== undefined && !fromNothing && configFile !== undefined;
  return isOwn && isDeployable(readFileSync(configFile, "utf8"))
    ? openOwnStack(source)
    : openTemporaryStack(source);
}
