import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";

import { until } from "./run.ts";

const ROOT = "/sys/fs/cgroup";

/**
 * Removes a cgroup with all below it, in every hierarchy (cgroup v1 has one a controller, v2 a
 * single one). Its processes must have ended.
 *
 * @param path such as /tailwart-lab-kvm
 */
export async function removeCgroups(path: string): Promise<void> {
  await until(`the cgroups ${path} are gone`, () => cgroupsAt(path).every(removeTree), 10_000);
}

/** The cgroup's folders that exist. */
export function cgroupsAt(path: string): string[] {
  const hierarchies = existsSync(ROOT) ? readdirSync(ROOT, { withFileTypes: true }) : [];
  const folders = hierarchies
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(ROOT, entry.name, path));
  return [join(ROOT, path), ...folders].filter((folder) => existsSync(folder));
}

/** False while the kernel still holds one of them: a process may take a moment to leave. */
function removeTree(folder: string): boolean {
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const empty = children.map((child) => removeTree(join(folder, child.name))).every(Boolean);
  try {
    if (empty) rmdirSync(folder);
    return empty;
  } catch {
    return false;
  }
}
