import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { UserError } from "../../lib/errors.ts";

/**
 * The path of a program of the toolchain: from the folders in TAILWART_BIN, else from those in PATH.
 *
 * @example binary("headscale") // "/root/.cache/tailwart/tools/headscale-1a2b3c/headscale"
 * @throws UserError when it is in none of them
 */
export function binary(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const folders = [env["TAILWART_BIN"], env["PATH"]]
    .flatMap((list) => (list ?? "").split(delimiter))
    .filter(Boolean);
  const found = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (found) return found;
  throw new UserError(`${name} is neither in TAILWART_BIN nor on PATH`, {
    path: name,
    hint: "run `npm run tools`, which downloads or builds it, or put its folder into TAILWART_BIN",
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
