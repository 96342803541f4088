import { ADDRESSES } from "../../lab/topology.ts";
import { BLOCKED_SMTP_PORTS } from "../../lab/namespaces.ts";
import { dial } from "./dial.ts";
import type { Half, Lesson, Seen } from "./lesson.ts";
import { describeFate, sendOut } from "./mail.ts";

/** A host on which ports are open that the provider drops, and one that it does not. */
const HOST = ADDRESSES.edge;

export const lesson10: Lesson = {
  number: 10,
  title: "The provider blocks outbound SMTP",
  preventedBy: "mail leaves by a relay on the tailnet (`config/desired-state.ts`)",
  refusedBy: ["no-direct-smtp-egress"],
  touches: ["where mail goes"],

  async play(half) {
    const { bench } = half;
    await half.does("each port is dialled from Stalwart's namespace", ports(), () => dropped(half));
    await half.sees(
      {
        from: "Stalwart's log and queue, for a message to elsewhere.test",
        outage: "mx.elsewhere.test on 25: Connection timed out (os error 110), and it waits",
        held: "the relay on the tailnet is connected to, and the message is there",
      },
      async () => fateOf(await sendOut(bench)),
    );
  },
};

const ports = () => `namespace: bash /dev/tcp/${HOST}/ ${[...BLOCKED_SMTP_PORTS, 443].join(" ")}`;

/** @throws Error where the lab's provider does not drop what the lesson is about */
async function dropped({ bench }: Half): Promise<void> {
  const found = await Promise.all(
    [...BLOCKED_SMTP_PORTS, 443].map(async (port) => {
      const [dialled] = await dial(bench, "namespace", HOST, port, { wait: 3 });
      return { port, outcome: dialled?.outcome };
    }),
  );
  const wrong = found.filter(({ port, outcome }) => outcome !== (port === 443 ? "open" : "timeout"));
  if (wrong.length > 0)
    throw new Error(`not as at the provider: ${wrong.map((each) => `${each.port} ${each.outcome}`).join()}`);
}

function fateOf(fate: Awaited<ReturnType<typeof sendOut>>): Seen {
  const words = describeFate(fate);
  if (fate.arrived) return { words, is: "held" };
  const blocked = fate.attempts.some(({ port, error }) => port === 25 && error?.includes("os error 110"));
  return { words, is: blocked ? "outage" : "neither" };
}
