import { EPHEMERAL, mayBecomeEphemeral } from "../parts/ephemeral.ts";
import type { Bench } from "./bench.ts";
import { describeDialled, dial, greeting } from "./dial.ts";
import { renewAddress } from "./renew-address.ts";
import type { Lesson, Seen } from "./lesson.ts";

/** How long mail may be mute. Without the guard it is for a quarter of an hour. Seconds. */
const PATIENCE = 60;
/** Connections in Stalwart's pool. */
const POOL = 10;

export const lesson16: Lesson = {
  number: 16,
  title: "Connections that stay at the old address",
  preventedBy:
    "a watch expects a greeting every five seconds (`lib/stalwart/entrypoint.sh`); the namespace gives connections up early (`components/TailnetSidecar.ts`)",
  refusedBy: ["stalwart-shares-anchor"],
  config: EPHEMERAL,
  apart: true,
  // Before the watch has had a reason to be more patient.
  when: "first",
  prepare: mayBecomeEphemeral,

  async play(half) {
    const { bench } = half;
    await half.does(
      `twenty senders at once fill the pool of ${POOL} connections to Postgres`,
      `outside: smtp-source -s 20 -m 20 ${bench.lab.facts.wanAddress}:25`,
      () => fillPool(bench),
    );
    const { before, after } = await half.does(
      "the ephemeral sidecar is restarted, and is another node",
      `kvm: docker restart ${bench.container("sidecar")}`,
      () => renewAddress(bench),
    );
    await half.sees(
      {
        from: `outside: bash /dev/tcp/${bench.lab.facts.wanAddress}/25, the edge`,
        outage: `mute for ${PATIENCE} s, with connections to Postgres from ${before}`,
        held: `a greeting within ${PATIENCE} s, and no connection from ${before}`,
      },
      async (): Promise<Seen> => {
        const took = await bench.within(
          PATIENCE,
          async () => (await greeting(bench))?.startsWith("220") ?? false,
        );
        const stale = (await connections(bench)).filter((address) => address === before).length;
        const inside = describeDialled(await dial(bench, "namespace", "127.0.0.1", 25, { greeting: true }));
        const words = `${took === undefined ? "no greeting" : `a greeting after ${took.toFixed(1)} s`}; ${stale} connections from ${before}, now ${after}; inside: ${inside}`;
        if (took !== undefined) return { words, is: stale === 0 ? "held" : "neither" };
        return { words, is: stale > 0 ? "outage" : "neither" };
      },
    );
  },
};

/** Local addresses of Stalwart's connections to Postgres (5432 is 1538 in hex, 01 ESTABLISHED). */
async function connections(bench: Bench): Promise<string[]> {
  const table = await bench.docker("kvm", "exec", bench.container("sidecar"), "cat", "/proc/net/tcp");
  const local = [...table.matchAll(/ ([0-9A-F]{8}):[0-9A-F]{4} [0-9A-F]{8}:1538 01 /g)];
  return local.map(([, hex = ""]) => [...Buffer.from(hex, "hex")].toReversed().join("."));
}

/**
 * Has twenty senders greet at once, so that every connection of the pool is open. With fewer, a
 * session that waits on a dead connection leaves room for a new one, and mail comes back after some
 * sessions that hang.
 */
async function fillPool(bench: Bench): Promise<void> {
  const { wanAddress, mailDomain } = bench.lab.facts;
  const names = ["-M", "outside.test", "-f", "someone@outside.test", "-t", `alice@${mailDomain}`];
  const full = await bench.within(60, async () => {
    const sender = ["smtp-source", "-s", "20", "-m", "20", ...names, `${wanAddress}:25`];
    await bench.on("outside", sender, { allowFailure: true });
    return (await connections(bench)).length >= POOL;
  });
  if (full === undefined)
    throw new Error(`Stalwart's pool has ${(await connections(bench)).length} connections`);
}
