// What `npm run dns -- --format zone` prints, in a real Knot: it loads, with nothing to be said
// against it, and answers as the records say.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { mailRecords } from "../../lib/dns/mail-records.ts";
import { type MailRecord, textStrings } from "../../lib/dns/record.ts";
import { byDomain, dataOf } from "../../lib/dns/writers/presentation.ts";
import { zoneLines } from "../../lib/dns/writers/zone.ts";
import { domain, wholeSetup } from "../unit/lib/dns/setup.ts";
import { Knot } from "./knot.ts";

const domains = [
  domain("example.org", { dmarc: "reject" }),
  domain("example.net", { hosts: ["mail.example.net"] }),
  domain("team.example.org"),
];
const egress = [
  ...Array.from({ length: 30 }, (_, i) => `192.0.2.${i}`),
  "2001:db8::/64",
  "include:_spf.example.com",
];
const made = mailRecords(wholeSetup({ domains, egress, reports: "dmarc@example.org" }));
/** Zones of the two owners; team.example.org lies in its parent's. */
const ZONES = ["example.org", "example.net"];

let knot: Knot;

/** The lines of the records in a zone. */
const linesIn = (zone: string) =>
  zoneLines(
    { ...made, records: made.records.filter(({ name }) => name === zone || name.endsWith(`.${zone}`)) },
    "of a test",
  );

beforeAll(async () => {
  knot = await Knot.start(Object.fromEntries(ZONES.map((zone) => [zone, linesIn(zone)])), { checks: true });
});
afterAll(() => knot.stop());

/** What Knot answers, in the words of {@link dataOf}. */
async function answers({ name, type }: MailRecord): Promise<string[]> {
  const { resolver } = knot;
  switch (type) {
    case "A":
      return resolver.resolve4(name);
    case "AAAA":
      return resolver.resolve6(name);
    case "MX":
      return (await resolver.resolveMx(name)).map((each) => `${each.priority} ${each.exchange}.`);
    case "TXT":
      return (await resolver.resolveTxt(name)).map((strings) => strings.map((each) => `"${each}"`).join(" "));
    case "SRV":
      return (await resolver.resolveSrv(name)).map(
        (each) => `${each.priority} ${each.weight} ${each.port} ${each.name}.`,
      );
    case "CAA":
      return (await resolver.resolveCaa(name)).map(
        (each) => `0 ${each.issue ? "issue" : "issuewild"} "${each.issue ?? each.issuewild}"`,
      );
  }
}

describe("the printed zone", () => {
  test.each(ZONES)("of %s is taken by Knot's own check", (zone) => {
    const { status, said } = knot.check(zone, linesIn(zone));
    expect(status, said).toBe(0);
    expect(said).not.toMatch(/warning|error/i);
  });

  test("would be refused if a line were wrong, or a name had a CNAME beside", () => {
    const [zone = ""] = ZONES;
    expect(knot.check(zone, `${linesIn(zone)}mx IN MX mail\n`).status).not.toBe(0);
    expect(knot.check(zone, `${linesIn(zone)}mail.${zone}. IN CNAME ns.${zone}.\n`).status).not.toBe(0);
  });

  test("is answered as the records say, and with nothing else", async () => {
    expect(made.records.length).toBeGreaterThan(50);
    const seen = new Set<string>();
    for (const record of made.records) {
      const { name, type } = record;
      if (seen.has(`${name} ${type}`)) continue;
      seen.add(`${name} ${type}`);
      const wanted = made.records.filter((each) => each.name === name && each.type === type).map(dataOf);
      expect((await answers(record)).toSorted(), `${name} ${type}`).toEqual(wanted.toSorted());
    }
  });

  test("has an SPF record of several strings, which a receiver joins", async () => {
    const [strings = []] = await knot.resolver.resolveTxt("example.org");
    const spf = made.records.find(({ name, purpose }) => name === "example.org" && purpose === "spf");
    expect(strings.length).toBeGreaterThan(1);
    expect(spf?.type === "TXT" && textStrings(spf.text)).toEqual(strings);
    expect(byDomain(made.records).size).toBe(3);
  });
});
