import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { UserError } from "../lib/errors.ts";
import type { Layout } from "./topology.ts";

/** The lab's logs by name, such as "kvm-dockerd" and "net-headscale". */
export function logFiles(layout: Layout): Record<string, string> {
  const own = existsSync(layout.logDir) ? readdirSync(layout.logDir) : [];
  const files = own.map((name) => [name.replace(/\.log$/, ""), join(layout.logDir, name)]);
  for (const name of ["headscale", "adapter"]) {
    const path = join(layout.tailnet.stateDir, `${name}.log`);
    if (existsSync(path)) files.push([`net-${name}`, path]);
  }
  for (const box of Object.values(layout.boxes)) {
    const path = join(box.dir, "fake-journal.log");
    if (existsSync(path)) files.push([`${box.name}-units`, path]);
  }
  return Object.fromEntries(files.sort()) as Record<string, string>;
}

/** @throws UserError when there is no such log */
export function logFile(layout: Layout, name: string): string {
  const files = logFiles(layout);
  const found = files[name];
  if (found) return found;
  throw new UserError(`the lab "${layout.name}" has no log "${name}"`, {
    path: "logs",
    hint: `write one of: ${Object.keys(files).join(", ") || "(none: the lab is down)"}`,
  });
}
