// Proves that a deployed stack works: `node verify/main.ts <check…>` with a VerifyTarget as JSON on
// stdin.
import {
  edgePassesOn,
  relayReachable,
  sidecarHealthy,
  stalwartGreets,
  storesReachable,
  type VerifyTarget,
} from "./checks.ts";
import { runOnInput } from "./run.ts";

const CHECKS = {
  sidecar: sidecarHealthy,
  stalwart: stalwartGreets,
  relay: relayReachable,
  stores: storesReachable,
  edge: edgePassesOn,
};
type CheckName = keyof typeof CHECKS;

/** Seconds for all checks together: a failed `up` must say so within 90 s. */
const BUDGET = 55;

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in CHECKS));
if (names.length === 0 || unknown.length > 0) {
  console.error(
    `usage: node verify/main.ts <${Object.keys(CHECKS).join("|")}>…  (a target as JSON on stdin)`,
  );
  process.exit(2);
}

const deadline = Date.now() + BUDGET * 1000;
const checks = (names as CheckName[]).map((name) => CHECKS[name]);
await runOnInput(...checks.map((check) => (target: VerifyTarget) => check(target, deadline)));
