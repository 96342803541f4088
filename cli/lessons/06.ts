import { EPHEMERAL, mayBecomeEphemeral } from "../parts/ephemeral.ts";
import { dial, describeDialled, greeting } from "./dial.ts";
import { renewAddress } from "./renew-address.ts";
import { type Lesson, type Seen, withoutGuard } from "./lesson.ts";

/** How long the new node and Stalwart behind it may take. Seconds. */
const PATIENCE = 90;
/** How much longer the edge may take to find it. Seconds. */
const MORE = 10;

export const lesson06: Lesson = {
  number: 6,
  title: "The sidecar's address changes",
  preventedBy:
    "nodes are named by MagicDNS; an offline node of the same name is removed first (`verify/claim-name.ts`)",
  refusedBy: ["no-hardcoded-tailnet-ip"],
  cause: {
    taken: "the address was written down",
    found: "a name alone is not enough: while the old node lingers, the new one is `stalwart-1`",
  },
  config: EPHEMERAL,
  apart: true,
  ways: [{ name: "", config: async (bench) => withoutGuard(6, await bench.tailnetAddress()) }],
  prepare: mayBecomeEphemeral,

  async play(half) {
    const { bench } = half;
    const host = `stalwart.${bench.lab.facts.tailnetDomain}`;
    const { before, after } = await half.does(
      "the ephemeral sidecar is restarted, and is another node",
      `kvm: docker restart ${bench.container("sidecar")}`,
      () => renewAddress(bench),
    );
    await half.sees(
      {
        from: `outside: bash /dev/tcp/${bench.lab.facts.wanAddress}/25, the edge`,
        outage: `no greeting, while it greets inside, ${host} is open by name and ${before} is not`,
        held: "a greeting",
      },
      async (): Promise<Seen> => {
        const byName = async () => dial(bench, "edge", host, 25, { wait: 3 });
        const inside = async () => (await dial(bench, "namespace", "127.0.0.1", 25, { greeting: true }))[0];
        // Stalwart itself may be mute for a while: that is lesson 16's.
        const back = await bench.within(PATIENCE, async () => {
          const dialled = await byName();
          const isOpen = dialled[0]?.address === after && dialled[0].outcome === "open";
          return isOpen && ((await inside())?.line?.startsWith("220") ?? false);
        });
        let greeted: string | undefined;
        await bench.within(MORE, async () => (greeted = await greeting(bench))?.startsWith("220") ?? false);
        const old = await dial(bench, "edge", before, 25, { wait: 3 });
        const words = `greeted with "${greeted ?? "nothing"}"; by name ${describeDialled(await byName())}; before ${describeDialled(old)}`;
        if (greeted?.startsWith("220")) return { words, is: "held" };
        return { words, is: back !== undefined && old[0]?.outcome !== "open" ? "outage" : "neither" };
      },
    );
  },
};
