import { delimiter, join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { isExecutable } from "../tools/versions.mjs";

/** Where Debian keeps programs that are not on everybody's PATH. */
const DEBIAN_DIRS = ["/usr/sbin", "/sbin", "/usr/lib/postgresql/15/bin", "/usr/libexec/postfix"];

/**
 * The path of a program of the lab: from the folders in TAILWART_BIN (tools/ensure.mjs sets it),
 * then PATH, then Debian's own.
 *
 * @example toolPath("tailscaled")
 * @throws UserError when it is in none of them
 */
export function toolPath(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const folders = [env["TAILWART_BIN"], env["PATH"]]
    .flatMap((list) => (list ?? "").split(delimiter))
    .concat(DEBIAN_DIRS)
    .filter(Boolean);
  const found = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (found) return found;
  throw new UserError(`${name} is neither in TAILWART_BIN nor on PATH`, {
    path: name,
    hint: "run `npm run up`, which downloads, builds or installs it",
  });
}
