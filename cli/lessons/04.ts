import { randomUUID } from "node:crypto";

import { describeShown, isCas, shown } from "./certificates.ts";
import { type Lesson, withoutGuard } from "./lesson.ts";
import { stalwartLog } from "./mail.ts";

/** A client of its own, new each time: what another was issued would be shown again. */
const CLIENT = `lesson-4-${randomUUID().slice(0, 8)}`;
/** How long an order may take. Seconds. */
const PATIENCE = 40;

const CONFIG = { "tailwart:acme/0/id": CLIENT };
const WITHOUT = { ...CONFIG, ...withoutGuard(4), "tailwart:acme/0/challenge": "http-01" };

export const lesson04: Lesson = {
  number: 4,
  title: "A wildcard needs DNS-01",
  preventedBy: "a wildcard is refused with a challenge that cannot prove it (`lib/desired-state/acme.ts`)",
  refusedBy: ["wildcard-needs-dns01"],
  cause: {
    taken: "Stalwart orders a wildcard wherever no names are given.",
    found:
      "Only with dns-01; the mistake is a set of names that does not fit its challenge. 0.15 refuses it itself.",
  },
  ways: [{ name: "", config: WITHOUT }],
  mistaken: true,
  // Without the guard the deploy itself fails, in its middle.
  deploys: false,

  async play(half) {
    const { bench } = half;
    const run = await half.does(
      `*.lab.test is ordered by ${half.guard ? "dns-01" : "http-01"}`,
      "operator: pulumi up",
      () => bench.deploy(half.guard ? CONFIG : WITHOUT, { pack: false, mayFail: true }),
    );
    await half.sees(
      {
        from: "operator: what `pulumi up` says; kvm: docker logs",
        outage: "Stalwart refuses the wildcard in the middle of the deploy",
        held: "the wildcard is proved by DNS-01, and issued",
      },
      async () => {
        const refused = /[^\n]*only supported with DNS-01[^\n]*/.exec(`${run?.stdout}${run?.stderr}`)?.[0];
        if (refused !== undefined) return { words: refused.trim(), is: "outage" };
        let last = "nothing about the order";
        await bench.within(PATIENCE, async () => {
          const lines = (await stalwartLog(bench)).filter((line) => line.includes(`"${CLIENT}"`));
          last = lines.findLast((line) => line.includes("acme.")) ?? last;
          return last.includes("acme.process-cert");
        });
        const words = last.replace(/^\S+ \S+ /, "").slice(0, 200);
        return { words, is: last.includes("acme.process-cert") ? "held" : "neither" };
      },
    );
    const { mailHost } = bench.lab.facts;
    await half.sees(
      {
        from: `outside: TLS to edge:993 as ${mailHost}`,
        outage: "a certificate that Stalwart has signed itself",
        held: "the wildcard, issued by the CA",
      },
      async () => {
        const seen = await shown(bench, mailHost, 993);
        const words = describeShown(seen);
        if (seen.trusted && isCas(seen.issuer) && seen.names === `DNS:*.${bench.lab.facts.mailDomain}`)
          return { words, is: "held" };
        return { words, is: !seen.trusted && /rcgen/.test(seen.issuer) ? "outage" : "neither" };
      },
    );
  },

  restore: (bench) => Promise.resolve(bench.changedByHand()),
};
