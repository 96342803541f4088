import { dial, type Dialled, describeDialled } from "./dial.ts";
import type { Half, Lesson, Seen } from "./lesson.ts";

/** How long the sidecar's restart may keep Stalwart from being reached. Seconds. */
const PATIENCE = 20;

export const lesson13: Lesson = {
  number: 13,
  title: "A restarted sidecar orphans its namespace",
  preventedBy: "an anchor holds the network namespace (`components/TailnetSidecar.ts`)",
  refusedBy: ["stalwart-shares-anchor"],
  touches: ["the namespace"],
  when: "last",

  async play(half) {
    const { bench } = half;
    const host = `stalwart.${bench.lab.facts.tailnetDomain}`;
    const dials = async () => (await dial(bench, "edge", host, 25, { wait: 3 })).at(0);
    if ((await bench.within(PATIENCE, async () => (await dials())?.outcome === "open")) === undefined)
      throw new Error(`${host}:25 is not open before the sidecar is restarted`);
    const before = await bench.serverPid();
    await half.does("the sidecar is restarted", `kvm: docker restart ${bench.container("sidecar")}`, () =>
      bench.docker("kvm", "restart", bench.container("sidecar")),
    );
    await half.sees(
      {
        from: `edge: bash /dev/tcp/${host}/25`,
        outage: `ECONNREFUSED, for ${PATIENCE} s: nobody listens in the new namespace`,
        held: `open within ${PATIENCE} s`,
      },
      async () => {
        let last: Dialled | undefined;
        const took = await bench.within(PATIENCE, async () => {
          last = (await dials()) ?? last;
          return last?.outcome === "open";
        });
        const words = describeDialled(last ? [last] : []);
        if (took !== undefined) return { words: `${words}; ${took.toFixed(1)} s later`, is: "held" };
        return {
          words: `${words}; still so ${PATIENCE} s later`,
          is: last?.outcome === "refused" ? "outage" : "neither",
        };
      },
    );
    await half.sees(
      {
        from: "kvm: docker exec readlink /proc/self/ns/net, sidecar and stalwart",
        outage: "two namespaces, and Stalwart's has lost its bridge",
        held: "one namespace, and Stalwart's process is the same one",
      },
      () => namespaces(half, before),
    );
  },
};

async function namespaces({ bench }: Half, before: string | undefined): Promise<Seen> {
  const inside = async (role: "sidecar" | "stalwart", ...command: string[]) =>
    (await bench.docker("kvm", "exec", bench.container(role), ...command)).trim().replace(/\s+/g, " ");
  const sidecar = await inside("sidecar", "readlink", "/proc/self/ns/net");
  const stalwart = await inside("stalwart", "readlink", "/proc/self/ns/net");
  const devices = await inside("stalwart", "ls", "/sys/class/net");
  const pid = await bench.serverPid();
  const words = `sidecar ${sidecar}, Stalwart ${stalwart} with ${devices}; its process was ${before}, is ${pid ?? "gone"}`;
  if (sidecar !== stalwart) return { words, is: devices.includes("eth0") ? "neither" : "outage" };
  return { words, is: pid === before ? "held" : "neither" };
}
