import { MAIL_IPV6 } from "../../lab/dns.ts";
import { dial, type Dialled, describeDialled } from "./dial.ts";
import { type Lesson, withoutGuard } from "./lesson.ts";
import { describeFate, NO_IPV6, saysNoIpv6, sendOut } from "./mail.ts";

/** A relay with an A and an AAAA record; the lab's DNS has it for this lesson. */
const DUAL = "dual.lab.test";
/** Longer than the kernel tries an address. Seconds. */
const PATIENCE = 30;

export const lesson08: Lesson = {
  number: 8,
  title: "AAAA of a relay",
  preventedBy: "a relay has an A record alone, and is dialled from inside (`verify/checks/peers.ts`)",
  refusedBy: ["relay-target-ipv4-only"],
  cause: {
    taken: "Stalwart tries the AAAA record first, fails (101), and does not fall back to IPv4.",
    found:
      "It tries A first, which a blocked port drops (110), then AAAA (101; 99 where IPv6 is off), and tells the last alone.",
  },
  mistaken: true,
  touches: ["where mail goes", "the relay's grant"],
  ways: [
    {
      name: "",
      config: {
        ...withoutGuard(8),
        "tailwart:relay/host": DUAL,
        "tailwart:relay/tls": "starttls",
      },
    },
  ],

  async play(half) {
    const { bench } = half;
    const { relay, tailnetDomain } = bench.lab.facts;
    const host = half.guard ? `${relay.host}.${tailnetDomain}` : DUAL;
    await half.sees(
      {
        from: `namespace: bash /dev/tcp/${host}/${relay.port}, each address`,
        outage: "IPv4: ETIMEDOUT (110); IPv6: EADDRNOTAVAIL (99) or ENETUNREACH (101)",
        held: "IPv4: open, and there is no other address",
      },
      async () => {
        const all = await dial(bench, "namespace", host, relay.port, { wait: PATIENCE });
        // The system's own look-up leaves out what it has no address for; Stalwart's does not.
        if (!half.guard) all.push(...(await dial(bench, "namespace", MAIL_IPV6, relay.port)));
        const of = (family: Dialled["family"]) => all.filter((each) => each.family === family);
        const words = describeDialled(all);
        if (of("IPv6").length === 0 && of("IPv4").every(({ outcome }) => outcome === "open") && all[0])
          return { words, is: "held" };
        const both = of("IPv4")[0]?.errno === 110 && NO_IPV6.has(of("IPv6")[0]?.errno);
        return { words, is: both ? "outage" : "neither" };
      },
    );
    await half.sees(
      {
        from: "Stalwart's log and queue, for a message to elsewhere.test",
        outage: "IPv4 first (110), then IPv6 (99 or 101); the queue tells of the last alone",
        held: "one address, connected; the message is at the smarthost",
      },
      async () => {
        const fate = await sendOut(bench);
        const words = describeFate(fate);
        if (fate.arrived && fate.attempts.every(({ address }) => !address.includes(":")))
          return { words, is: "held" };
        const [first, second] = fate.attempts;
        const covered =
          first?.error?.includes("os error 110") &&
          !first.address.includes(":") &&
          saysNoIpv6(second?.error) &&
          saysNoIpv6(fate.queued) &&
          !fate.queued?.includes("os error 110");
        return { words, is: covered ? "outage" : "neither" };
      },
    );
  },
};
