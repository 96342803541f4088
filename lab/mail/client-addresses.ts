import { runInNetns } from "../run.ts";
import type { Layout } from "../topology.ts";

/** Nobody's in the lab's internet (see ADDRESSES of lab/topology.ts). */
const FIRST = 160;
const COUNT = 40;

const ADDRESSES = Array.from({ length: COUNT }, (_, n) => `203.0.113.${FIRST + n}`);

/**
 * Gives the machine outside more addresses, as so many clients: Stalwart takes five messages a
 * second of one. Those of a run that was killed are taken over.
 */
export async function addClientAddresses(layout: Layout, count: number): Promise<string[]> {
  const some = ADDRESSES.slice(0, count);
  await change(
    layout,
    some.map((address) => `address replace ${address}/24 dev eth0`),
  );
  return some;
}

/** Takes all of them away. */
export async function removeClientAddresses(layout: Layout): Promise<void> {
  // Those that are not there are no error.
  await change(
    layout,
    ADDRESSES.map((address) => `address delete ${address}/24 dev eth0`),
    true,
  );
}

async function change(layout: Layout, commands: string[], allowFailure = false): Promise<void> {
  const batch = ["ip", ...(allowFailure ? ["-force"] : []), "-batch", "-"];
  const stdin = `${commands.join("\n")}\n`;
  await runInNetns(layout.machines.outside.netns, batch, { stdin, allowFailure });
}
