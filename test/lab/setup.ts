import { spawnSync } from "node:child_process";
import { join } from "node:path";

const CLI = join(import.meta.dirname, "..", "..", "cli");

/** The lab that the tests run in: not the user's own. */
export const LAB = process.env["TAILWART_LAB"] ?? "test";

/** Runs one of the project's own commands as a user would, and shows what it prints. */
function command(name: string): void {
  const done = spawnSync(process.execPath, [join(CLI, `${name}.ts`), "--name", LAB], { stdio: "inherit" });
  if (done.status !== 0) throw new Error(`npm run ${name} failed with exit code ${done.status}`);
}

/** Before the lab's tests: `npm run up` from nothing. After them: `npm run down`. */
export function setup(): () => void {
  if (process.env["TAILWART_KEEP"] !== "1") command("down");
  command("up");
  return () => {
    if (process.env["TAILWART_KEEP"] !== "1") command("down");
  };
}
