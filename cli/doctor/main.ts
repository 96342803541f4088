// Examines a stack: a DoctorOrder as JSON on standard input. A program of its own, since it runs as
// whoever reaches the stack's hosts: the lab's operator, or its caller.
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { cacheRoot } from "../../tools/cache.mjs";
import { withNeeds } from "../../verify/check.ts";
import { CHECKS } from "../../verify/checks/index.ts";
import { examine } from "../../verify/doctor/examine.ts";
import { ofEdges } from "../../verify/doctor/per-edge.ts";
import { counts, type Examination, examination, exitCode, report } from "../../verify/doctor/report.ts";
import { DoctorScene } from "../../verify/doctor/target.ts";
import { runMain } from "../parts/progress.ts";
import { serverApi } from "./api.ts";
import { Certspotter } from "./certspotter.ts";
import { loop } from "./loop.ts";
import type { DoctorOrder } from "./order.ts";

/** One for all looks: it keeps what it was told. */
const certspotter = new Certspotter(join(cacheRoot(), "certspotter"));

await runMain(async () => {
  const order = JSON.parse(await text(process.stdin)) as DoctorOrder;
  if (order.unban !== undefined) {
    await serverApi(order.target).unban(order.unban);
    console.log(`✓ ${order.unban} is no longer banned`);
    return;
  }
  const look = () => lookOnce(order);
  if (order.loop) {
    const stop = new AbortController();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
    const say = (line: string) => console.log(`${new Date().toISOString()} ${line}`);
    return loop(look, order.loop, say, stop.signal);
  }
  const found = await look();
  const json = () => JSON.stringify({ ...found, counts: counts(found.rows) }, null, 2);
  console.log(order.json ? json() : report(found, order.color));
  process.exitCode = exitCode(found);
});
// Commands that were given up on end by their own deadlines; nobody waits for them.
process.exit();

/** All checks once, with a line of progress where somebody sees it. */
async function lookOnce({ target, only }: DoctorOrder): Promise<Examination> {
  const checks = ofEdges(withNeeds(CHECKS, only), target.edges);
  const start = Date.now();
  const live = process.stderr.isTTY;
  const onChange = (running: readonly string[], done: number) => {
    const line = `… ${done} of ${checks.length}: ${running.join(", ")}`;
    if (live) process.stderr.write(`\r\u001b[K${line.slice(0, 79)}`);
  };
  const issued = (domain: string) => certspotter.issued(domain);
  const rows = await examine(checks, new DoctorScene(target, serverApi(target), issued), { onChange });
  if (live) process.stderr.write("\r\u001b[K");
  return examination(`stack ${target.stack}`, rows, (Date.now() - start) / 1000);
}
