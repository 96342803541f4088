// Proves that a deployed stack works, at the end of an `up`: `node verify/main.ts <check…>` with a
// VerifyTarget as JSON on stdin. Each check is waited for, behind what it needs; the first that
// does not come to hold is the cause.
import { withNeeds } from "./check.ts";
import { UP_CHECKS } from "./checks/up.ts";
import { runOnInput } from "./run.ts";
import type { VerifyTarget } from "./target.ts";
import { holds } from "./wait.ts";

/** Seconds for all checks together: a failed `up` must say so within 90 s. */
const BUDGET = 55;

const ids = process.argv.slice(2);
const known = UP_CHECKS.map(({ id }) => id);
if (ids.length === 0 || ids.some((id) => !known.includes(id))) {
  console.error(`usage: node verify/main.ts <${known.join("|")}>…  (a target as JSON on stdin)`);
  process.exit(2);
}

const deadline = Date.now() + BUDGET * 1000;
const steps = withNeeds(UP_CHECKS, ids).map(
  (check) => (target: VerifyTarget) => holds(check, target, deadline),
);
await runOnInput(...steps);
