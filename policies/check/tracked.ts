import { execFileSync } from "node:child_process";

/** A repository may bring a command of its own that git runs to see what has changed. */
const HARMLESS = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];
const MAX_BYTES = 64_000_000;

/**
 * The files that are in a repository, from its root: what was added before it was ignored, or by
 * force, is. None where git, or the repository, is not there.
 */
export function trackedIn(root: string): ReadonlySet<string> {
  // Within a hook these lead to the repository of whoever runs it.
  const { GIT_DIR: _, GIT_WORK_TREE: __, ...env } = process.env;
  try {
    const names = execFileSync("git", [...HARMLESS, "ls-files", "-z"], {
      cwd: root,
      env: { ...env, GIT_OPTIONAL_LOCKS: "0" },
      encoding: "utf8",
      maxBuffer: MAX_BYTES,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return new Set(names.split("\0").filter(Boolean));
  } catch {
    return new Set();
  }
}
