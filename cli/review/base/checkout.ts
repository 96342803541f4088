import { existsSync, realpathSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

import { UserError } from "../../../lib/errors.ts";
import { type CommandResult, runCommand } from "../../../lib/run-command.ts";
import { throwIfStopped } from "../../parts/held-signals.ts";

/** A program as it is at another commit. */
export interface Checkout {
  /** As it was asked for, such as `main`. */
  readonly ref: string;
  /** The commit's full name. */
  readonly commit: string;
  /** The program's folder there. */
  readonly project: string;
  /** Takes the folder away. */
  readonly remove: () => Promise<void>;
}

const MINUTES = 5;

/**
 * Checks a program out as it is at `ref`, in a temporary folder, with the node modules of the one
 * that is at hand. The repository's own files and branch stay as they are.
 *
 * @param project the program's folder, in a git repository
 * @throws UserError when it is in none, or there is no such commit; nothing is left of it then
 */
export async function checkOut(ref: string, project: string): Promise<Checkout> {
  const top = await git(project, "rev-parse", "--show-toplevel");
  if (top.status !== 0)
    throw new UserError(`--base compares with a commit, and ${project} is in no git repository`);
  const root = top.stdout.trim();
  const found = await git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`);
  if (found.status !== 0)
    throw new UserError(`there is no commit ${ref} in ${root}`, {
      hint: `fetch it: git fetch origin ${ref}`,
    });
  const commit = found.stdout.trim();
  const folder = join(await mkdtemp(join(tmpdir(), "tailwart-base-")), "base");
  const remove = async () => {
    // Twice: one whose making was cut off is locked. No prune, which would also drop those of the
    // user whose disk is away.
    await git(root, "worktree", "remove", "--force", "--force", folder);
    await rm(dirname(folder), { recursive: true, force: true });
  };
  try {
    // Nobody's hooks: the one of a checkout may do anything.
    const add = ["-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", folder, commit];
    const added = await git(root, ...add);
    throwIfStopped();
    if (added.status !== 0) throw new UserError(`${ref} cannot be checked out: ${added.stderr.trim()}`);
    const inside = relative(root, realpathSync(project));
    await linkModules(root, folder, inside);
    return { ref, commit, project: join(folder, inside), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Of the program's folder and those above it: modules are looked for in each. */
async function linkModules(root: string, folder: string, inside: string): Promise<void> {
  for (let path = inside; ; path = dirname(path)) {
    const [modules, link] = [join(root, path, "node_modules"), join(folder, path, "node_modules")];
    if (existsSync(modules) && existsSync(dirname(link)) && !existsSync(link)) await symlink(modules, link);
    if (path === "" || path === ".") return;
  }
}

/** Git in a folder, whatever repository a hook that calls us has set (githooks(5)). */
function git(cwd: string, ...args: string[]): Promise<CommandResult> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  return runCommand("git", args, { cwd, env, deadline: MINUTES * 60_000 });
}
