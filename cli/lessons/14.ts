import { type Lesson, withoutGuard } from "./lesson.ts";
import { describeFate, sendOut, stalwartLog } from "./mail.ts";

/** A route that nobody has declared. */
const UNKNOWN = "relay-2";

export const lesson14: Lesson = {
  number: 14,
  title: "A route that nobody knows",
  preventedBy: "names of routes are checked before anything is written (`lib/desired-state/schema.ts`)",
  refusedBy: ["relay-route-exists"],
  touches: ["where mail goes"],
  ways: [{ name: "", config: withoutGuard(14, UNKNOWN) }],

  async play(half) {
    const { bench } = half;
    const since = new Date().toISOString();
    await half.sees(
      {
        from: "Stalwart's log and queue, for a message to elsewhere.test",
        outage: "it goes straight to mx.elsewhere.test:25, which the provider drops (110)",
        held: "it goes by the declared relay, and is there",
      },
      async () => {
        const fate = await sendOut(bench);
        const words = describeFate(fate);
        if (fate.arrived) return { words, is: "held" };
        const straight = fate.attempts.some(
          ({ host, port, error }) =>
            host === "mx.elsewhere.test" && port === 25 && error?.includes("os error 110"),
        );
        return { words, is: straight ? "outage" : "neither" };
      },
    );
    await half.sees(
      {
        from: "kvm: docker logs, for the only word of it",
        outage: `Gateway not found, "${UNKNOWN}"`,
        held: "no such line",
      },
      async () => {
        const line = (await stalwartLog(bench, since)).find((each) => each.includes("Gateway not found"));
        if (line === undefined) return { words: "no such line", is: "held" };
        const words = line.replace(/^\S+ \S+ /, "").slice(0, 160);
        return { words, is: line.includes(`"${UNKNOWN}"`) ? "outage" : "neither" };
      },
    );
  },
};
