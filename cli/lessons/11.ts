import { getPolicy, setPolicy } from "../../lab/tailnet/index.ts";
import { SMARTHOST } from "../../lab/smarthost.ts";
import type { Bench } from "./bench.ts";
import { dial, describeDialled, type Dialled } from "./dial.ts";
import { type Lesson, type Seen, withoutGuard } from "./lesson.ts";

/** How long a change of the policy file may take to reach the nodes. Seconds. */
const PATIENCE = 20;

export const lesson11: Lesson = {
  number: 11,
  title: "It may receive, and not initiate",
  preventedBy:
    "grants come from one table of flows (`lib/tailnet/flows.ts`), and `/acl/validate` proves them",
  refusedBy: ["tailnet-flows-granted"],
  cause: {
    taken: "no grant named Stalwart as a source, so its connections timed out",
    found: "with the opposite grant alone they do; without any there is no such name",
  },
  touches: ["the relay's grant"],
  ways: [
    { name: "only the opposite grant", config: withoutGuard(11, "opposite") },
    { name: "no grant", config: withoutGuard(11, "none") },
  ],

  async play(half) {
    const { bench } = half;
    const { host, port } = { ...SMARTHOST, host: `${SMARTHOST.host}.${bench.lab.facts.tailnetDomain}` };
    const started = await startedAt(bench);
    const relay = () => dial(bench, "namespace", host, port, { wait: 3 });
    await half.does(
      "the policy file is taken away from between Stalwart and its relay, and set again",
      "operator: POST /api/v2/tailnet/-/acl",
      async () => {
        const deployed = await getPolicy(bench.lab.layout.tailnet);
        await setPolicy(bench.lab.layout.tailnet, withoutRelay(deployed));
        const gone = await bench.within(PATIENCE, async () => (await relay()).length === 0);
        await setPolicy(bench.lab.layout.tailnet, deployed);
        if (gone === undefined) throw new Error(`${host} still resolves without any grant`);
      },
    );
    const opposite = half.way.includes("opposite");
    await half.sees(
      {
        from: `Stalwart's namespace: bash /dev/tcp/${host}/${port}`,
        outage: opposite ? "the name resolves, and nobody answers" : "no such name",
        held: `open within ${PATIENCE} s, and no container restarted`,
      },
      async (): Promise<Seen> => {
        let last: Dialled[] = [];
        const isOpen = () => last[0]?.outcome === "open";
        const isSymptom = () => (opposite ? last[0]?.outcome === "timeout" : last.length === 0);
        const took = await bench.within(PATIENCE, async () => {
          last = await relay();
          return half.guard ? isOpen() : isSymptom();
        });
        const restarted = (await startedAt(bench)) !== started;
        const words = `${describeDialled(last)}; ${took?.toFixed(1) ?? PATIENCE} s after the policy; ${restarted ? "a" : "no"} container restarted`;
        if (isOpen()) return { words, is: restarted ? "neither" : "held" };
        return { words, is: half.guard || isSymptom() ? "outage" : "neither" };
      },
    );
  },
};

/** The policy file without any grant between Stalwart and the relay. */
const withoutRelay = (policy: string) => policy.replace(/\{ "src": [^{}]*"tag:mail"[^{}]*\},?/g, "");

const startedAt = async (bench: Bench) =>
  `${await bench.inspect("sidecar", "{{.State.StartedAt}}")} ${await bench.inspect("stalwart", "{{.State.StartedAt}}")}`;
