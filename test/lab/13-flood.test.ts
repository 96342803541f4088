import { describe, expect, test } from "vitest";

import { runIn } from "../../lab/machine.ts";
import { container, docker, eventually, facts, greets, layout, serverPid, tailnetAddress } from "./lab.ts";

/** More than a listener of Stalwart takes (max-connections, 8192). */
const CONNECTIONS = 9000;
/** How long they last: three missed greetings take a watch 15 to 30 s. Seconds. */
const HELD = 60;

/**
 * Opens idle connections from the edge, as clients of as many addresses: Stalwart takes 5 a second
 * of one alone (queue.limiter.inbound.ip). Says how many were greeted, and how many were dropped
 * without a word.
 */
const FLOOD = `
  const { connect } = require("node:net");
  const [host, count, seconds] = process.argv.slice(1);
  const state = { greeted: 0, dropped: 0 };
  const open = (left) => {
    for (let i = 0; i < 100 && left > 0; i++, left--) {
      let heard = false;
      const client = "198.18." + (left >> 8) + "." + (left & 255);
      connect(25, host, function () { this.write("PROXY TCP4 " + client + " 203.0.113.20 40000 25\\r\\n"); })
        .on("data", () => void (heard ||= (state.greeted++, true)))
        .on("error", () => undefined)
        .on("close", () => void (heard || state.dropped++));
    }
    if (left > 0) setTimeout(open, 100, left);
  };
  open(Number(count));
  setTimeout(() => (console.log(JSON.stringify(state)), process.exit()), seconds * 1000);
`;

/**
 * A minute of connections: in `npm run test:full`. What the watch makes of a full listener:
 * test/unit/lib/stalwart/entrypoint.test.ts.
 */
describe.runIf(process.env["TAILWART_FULL"])("a flood of idle connections", () => {
  test("restarts nothing, and mail is taken as soon as it is over", async () => {
    const pid = serverPid();
    const since = new Date().toISOString();
    const stats = ["stats", "--no-stream", "--format", "{{.MemUsage}}", container("stalwart")];
    const before = docker("kvm", ...stats).trim();
    const flood = [process.execPath, "-e", FLOOD, tailnetAddress(), String(CONNECTIONS), String(HELD)];
    const { stdout } = await runIn(layout.machines.edge, flood, { timeout: (HELD + 60) * 1000 });
    const memory = `memory ${before} before, ${docker("kvm", ...stats).trim()} at the end`;
    const log = docker("kvm", "logs", "--since", since, container("stalwart"));
    const full = log.split("\n").filter((line) => line.includes("limit.concurrent-connection")).length;
    const said = log.split("\n").filter((line) => line.startsWith("tailwart:"));
    console.log(
      `${CONNECTIONS} connections, ${HELD} s: ${stdout.trim()}; refused as too many: ${full}; ${memory}`,
    );
    console.log(said.join("\n"));
    expect(full).toBeGreaterThan(0);
    expect(said.filter((line) => line.includes("starting over"))).toEqual([]);
    expect(serverPid()).toBe(pid);
    const took = await eventually("a greeting through the edge", 60, greets);
    console.log(`greeted through the edge ${took} s after the flood, ${facts.wanAddress}`);
  }, 240_000);
});
