import { randomUUID } from "node:crypto";

import { send } from "../../lab/mail/outside.ts";
import { dial, type Dialled, describeDialled, resolve } from "./dial.ts";
import { setIpv6 } from "./ipv6.ts";
import { type Lesson, withoutGuard } from "./lesson.ts";

/** A sender has IPv6 for this lesson. */
const NETWORK = { outside: "2001:db8::50" } as const;
/** What is to be the edge's address one day. */
const PLANNED = "2001:db8::20";
const PORT = 25;
/** Longer than the kernel looks for a neighbour. Seconds. */
const PATIENCE = 30;

export const lesson17: Lesson = {
  number: 17,
  title: "AAAA of the mail host without IPv6 at the edge",
  preventedBy: "the mail host's records are A alone (`lib/dns/hosts.ts`)",
  refusedBy: ["no-aaaa-without-v6-edge"],
  cause: {
    taken: "The edge listens on IPv4 alone.",
    found: "It listens on both wherever its host has IPv6; the record came before the host had that address.",
  },
  ways: [{ name: "", config: withoutGuard(17, PLANNED) }],
  // Whoever comes from outside finds the mail host by that name.
  touches: ["where mail goes", "the relay's grant", ":443", "the certificate", "the namespace"],

  prepare: (bench) => setIpv6(bench, NETWORK, true),

  async play(half) {
    const { bench } = half;
    const { mailHost, mailDomain } = bench.lab.facts;
    await half.sees(
      {
        from: `outside: bash /dev/tcp/${mailHost}/${PORT}, each address, by a sender with IPv6`,
        outage: "IPv6: EHOSTUNREACH (113); IPv4: open",
        held: "IPv4: open, and there is no other address",
      },
      async () => {
        const all = await dial(bench, "outside", mailHost, PORT, { wait: PATIENCE });
        const of = (family: Dialled["family"]) => all.filter((each) => each.family === family);
        const [four, six] = [of("IPv4"), of("IPv6")];
        const isOpen = four.length > 0 && four.every(({ outcome }) => outcome === "open");
        const words = describeDialled(all);
        if (isOpen && six.length === 0) return { words, is: "held" };
        return { words, is: isOpen && six.every(({ errno }) => errno === 113) ? "outage" : "neither" };
      },
    );
    await half.sees(
      {
        from: "outside: SMTP to the first of these addresses, as one sends who tries no other",
        outage: "IPv6 comes first, and is not reached: the mail bounces",
        held: "IPv4 comes first, and takes the message",
      },
      async () => {
        const [host = ""] = await resolve(bench, "outside", mailHost);
        const order = { host, port: PORT, secure: false, from: "someone@outside.test" };
        const message = { to: `alice@${mailDomain}`, subject: `lesson ${randomUUID()}`, body: "hello" };
        try {
          const { response } = await send(bench.lab.layout, { ...order, ...message });
          return { words: `${host}: ${response}`, is: host.includes(":") ? "neither" : "held" };
        } catch (error) {
          const [what = ""] = /EHOSTUNREACH[^\n]*/.exec(String(error)) ?? [];
          const is = what !== "" && host.includes(":") ? "outage" : "neither";
          return { words: `${host}: ${what === "" ? String(error) : what}`, is };
        }
      },
    );
  },

  restore: (bench) => setIpv6(bench, NETWORK, false),
};
