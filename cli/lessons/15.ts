import type { Lesson } from "./lesson.ts";
import { handshakes, isCas } from "./certificates.ts";

/** With two servers on the port, the odds that all of them get to the right one are 2^-40. */
const TIMES = 40;

export const lesson15: Lesson = {
  number: 15,
  title: "Two servers on one port",
  preventedBy: "one listener on :443, whose wrapper tells connections apart (`lib/caddy/config.ts`)",
  refusedBy: ["edge-port-conflict"],
  touches: [":443", "the certificate"],

  async play(half) {
    const { bench } = half;
    const { mailHost } = bench.lab.facts;
    await half.sees(
      {
        from: `outside: openssl s_client edge:443 -servername ${mailHost}, ${TIMES} times`,
        outage: "some handshakes fail at the other server, at random, and nobody reports an error",
        held: `all ${TIMES} are Stalwart's certificate`,
      },
      async () => {
        const seen = await handshakes(bench, mailHost, TIMES);
        const right = seen.filter(isCas).length;
        const others = [...new Set(seen.filter((each) => !isCas(each)))];
        const words = `${right} of ${TIMES} Stalwart's${others.length > 0 ? `; the others: ${others.join(", ")}` : ""}`;
        if (right === TIMES) return { words, is: "held" };
        return { words, is: right > 0 ? "outage" : "neither" };
      },
    );
  },
};
