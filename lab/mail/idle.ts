// Connections that say nothing: `node lab/mail/idle.ts`, its order as the first line of stdin, in
// JSON. It says how many stand once all have been tried, and holds them until stdin is closed.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

export interface IdleOrder {
  /** An address of the lab. */
  host: string;
  ports: number[];
  /** Of this machine, in turn. */
  addresses: string[];
  /** At most 20,000. */
  count: number;
}

/** So many every tenth of a second. */
const BURST = 200;

const input = createInterface({ input: process.stdin });
const [line] = (await once(input, "line")) as [string];
input.once("close", () => process.exit(0));
const { host, ports, addresses, count } = JSON.parse(line) as IdleOrder;
if (!/^203\.0\.113\.\d+$/.test(host) || count > 20_000) {
  console.error("an order is bounded, and stays in the lab: see IdleOrder");
  process.exit(2);
}

async function open(n: number): Promise<Socket | undefined> {
  const socket = connect({
    host,
    port: ports[n % ports.length] ?? 25,
    localAddress: addresses[n % addresses.length],
  } as { host: string; port: number });
  socket.on("error", () => undefined).resume();
  const stands = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "close").then(() => false),
  ]).catch(() => false);
  return stands ? socket : undefined;
}

const tried: Promise<Socket | undefined>[] = [];
while (tried.length < count) {
  for (let burst = 0; burst < BURST && tried.length < count; burst++) tried.push(open(tried.length));
  await sleep(100);
}
const sockets = await Promise.all(tried);
process.stdout.write(`${sockets.filter((each) => each && !each.closed).length}\n`);
