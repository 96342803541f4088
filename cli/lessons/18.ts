import { editZone } from "../../lab/dns.ts";
import { renewReceiver, stopReceiver } from "../../lab/receiver.ts";
import { SECOND_DNS } from "../../lab/topology.ts";
import { judged } from "./judged.ts";
import { type Half, type Lesson, type Seen, withoutGuard } from "./lesson.ts";

/** A second place that mail may leave from, in each half another: so each changes the record. */
const placeOf = ({ guard }: Half) => (guard ? "198.51.100.1" : "198.51.100.2");
/** How long a server may take. Seconds. */
const PATIENCE = 30;

export const lesson18: Lesson = {
  number: 18,
  title: "A DNS API that appends",
  preventedBy: "what a record said goes with what it says now, or before it (`lib/dns/record-sets.ts`)",
  refusedBy: ["one-spf-record"],
  // It judges what is declared, which is one record in both halves.
  refuses: false,
  mistaken: true,
  deploys: false,

  async play(half) {
    const { bench } = half;
    const { layout, facts } = bench.lab;
    await half.does("mail may leave from one more address", "operator: pulumi up", async () => {
      const egress = { "tailwart:relay/egress": [facts.relay.egress, placeOf(half)] };
      await bench.deploy({ ...egress, ...(half.guard ? {} : withoutGuard(18)) }, { pack: false });
    });
    await half.sees(
      {
        from: `outside: dig TXT ${facts.mailDomain}, at each server of the zone`,
        outage: "two SPF records",
        held: "one, that names the address",
      },
      () => atServers(half),
    );
    await half.sees(
      {
        from: "a receiver that checks SPF, of a message that is sent to it",
        outage: "spf=fail: OpenDMARC's word for a permerror, too",
        held: "spf=pass",
      },
      async () => {
        await renewReceiver(layout);
        const { spf = "nothing" } = (await judged(bench)).judgement;
        return {
          words: `spf=${spf}`,
          is: spf === "pass" ? "held" : spf === "fail" ? "outage" : "neither",
        };
      },
    );
    if (half.guard) return;
    await half.does("the older record is taken away by hand", "at the DNS provider", async () => {
      await editZone(layout, (records) =>
        records.filter((record) => !record.includes('"v=spf1') || record.includes(placeOf(half))),
      );
    });
  },

  async restore({ lab: { layout } }) {
    await stopReceiver(layout);
  },
};

/** The SPF records that each server has, once both have the new one. */
async function atServers(half: Half): Promise<Seen> {
  const { layout, facts } = half.bench.lab;
  const servers = [layout.dns, SECOND_DNS];
  const recordsAt = async (server: string) => {
    const { stdout } = await half.bench.on("outside", [
      "kdig",
      "+short",
      `@${server}`,
      facts.mailDomain,
      "TXT",
    ]);
    return stdout.split("\n").filter((line) => line.startsWith('"v=spf1'));
  };
  let all: string[][] = [];
  await half.bench.within(PATIENCE, async () => {
    all = await Promise.all(servers.map(recordsAt));
    return all.every((records) => records.some((record) => record.includes(placeOf(half))));
  });
  const words = all.map((records, i) => `${servers[i]}: ${records.join(" and ")}`).join("; ");
  const has = (count: number) => all.every(({ length }) => length === count);
  return { words, is: has(1) && words.includes(placeOf(half)) ? "held" : has(2) ? "outage" : "neither" };
}
