import { UserError } from "../lib/errors.ts";
import type { Check, Finding } from "./check.ts";
import { Scene } from "./scene.ts";
import type { VerifyTarget } from "./target.ts";

/** Pause between two looks, in milliseconds. */
const PAUSE = 500;

/**
 * Looks again until a check holds or the deadline passes: after a deploy much is still starting.
 *
 * @param deadline milliseconds since the epoch
 * @returns what was seen
 * @throws UserError with what the last look saw, and what to do
 */
export async function holds(check: Check, target: VerifyTarget, deadline: number): Promise<string> {
  for (;;) {
    const finding = await check.look(new Scene(target));
    if (finding.state !== "fail" && finding.state !== "unknown") return finding.seen;
    const hint = hintOf(finding);
    if (Date.now() >= deadline) throw new UserError(finding.seen, hint === "" ? {} : { hint });
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** @example hintOf({ …, advice: "it starts by itself", fix: "docker start x" }) */
function hintOf({ advice, fix }: Finding): string {
  if (advice !== undefined && fix !== undefined) return `${advice}; by hand: ${fix}`;
  return advice ?? (fix === undefined ? "" : `run: ${fix}`);
}
