// Examines a stack: a DoctorOrder as JSON on standard input. A program of its own, since it runs as
// whoever reaches the stack's hosts: the lab's operator, or its caller.
import { text } from "node:stream/consumers";

import { withNeeds } from "../../verify/check.ts";
import { CHECKS } from "../../verify/checks/index.ts";
import { examine } from "../../verify/doctor/examine.ts";
import { counts, examination, exitCode, report } from "../../verify/doctor/report.ts";
import { DoctorScene } from "../../verify/doctor/target.ts";
import { runMain } from "../parts/progress.ts";
import { serverApi } from "./api.ts";
import type { DoctorOrder } from "./order.ts";

await runMain(async () => {
  const order = JSON.parse(await text(process.stdin)) as DoctorOrder;
  const checks = withNeeds(CHECKS, order.only);
  const start = Date.now();
  const live = process.stderr.isTTY;
  const onChange = (running: readonly string[], done: number) => {
    if (live)
      process.stderr.write(`\r\u001b[K… ${done} of ${checks.length}: ${running.join(", ")}`.slice(0, 80));
  };
  const rows = await examine(checks, new DoctorScene(order.target, serverApi(order.target)), { onChange });
  if (live) process.stderr.write("\r\u001b[K");
  const found = examination(`stack ${order.target.stack}`, rows, (Date.now() - start) / 1000);
  console.log(
    order.json ? JSON.stringify({ ...found, counts: counts(rows) }, null, 2) : report(found, order.color),
  );
  process.exitCode = exitCode(found);
});
// Commands that were given up on end by their own deadlines; nobody waits for them.
process.exit();
