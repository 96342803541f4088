// What `npm run dns -- --format zone` prints, in a real Knot: it loads, with nothing to be said
// against it, and answers as the records say.
import { spawn, spawnSync } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { until } from "../../lab/run.ts";
import { mailRecords } from "../../lib/dns/mail-records.ts";
import { type MailRecord, textStrings } from "../../lib/dns/record.ts";
import { byDomain, dataOf } from "../../lib/dns/writers/presentation.ts";
import { zoneLines } from "../../lib/dns/writers/zone.ts";
import { domain, wholeSetup } from "../unit/lib/dns/setup.ts";
import { requireProgram } from "./toolchain.ts";
import { freeUdpPort } from "./unbound.ts";

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

let folder: string;
let config: string;
let knot: ReturnType<typeof spawn> | undefined;
const resolver = new Resolver({ timeout: 500, tries: 2 });

/** What a zone has beside: where it begins, and who serves it. */
const begin = (zone: string) =>
  `$TTL 300\n${zone}. SOA ns.${zone}. hostmaster.${zone}. 1 3600 600 86400 300\n${zone}. NS ns.${zone}.\nns.${zone}. A 127.0.0.1\n`;

/** The lines of the records in a zone. */
const linesIn = (zone: string) =>
  zoneLines(
    { ...made, records: made.records.filter(({ name }) => name === zone || name.endsWith(`.${zone}`)) },
    "of a test",
  );

function check(zone: string, lines: string): { status: number | null; said: string } {
  writeFileSync(join(folder, `${zone}.zone`), begin(zone) + lines);
  const done = spawnSync(
    requireProgram("knotc", "apt-get install knot"),
    ["-c", config, "zone-check", zone],
    {
      encoding: "utf8",
    },
  );
  return { status: done.status, said: done.stdout + done.stderr };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-knot-"));
  config = join(folder, "knot.conf");
  const port = await freeUdpPort();
  const text = `server:
    rundir: ${folder}
    listen: 127.0.0.1@${port}
database:
    storage: ${folder}
log:
  - target: stderr
    any: info
template:
  - id: default
    storage: ${folder}
    file: "%s.zone"
    semantic-checks: on
zone:
${ZONES.map((zone) => `  - domain: ${zone}.`).join("\n")}
`;
  writeFileSync(config, text);
  for (const zone of ZONES) writeFileSync(join(folder, `${zone}.zone`), begin(zone) + linesIn(zone));
  knot = spawn(requireProgram("knotd", "apt-get install knot"), ["-c", config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaints = "";
  knot.stderr?.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  resolver.setServers([`127.0.0.1:${port}`]);
  const answers = async () => {
    if (knot?.exitCode !== null) throw new Error(`Knot has ended:\n${complaints}`);
    return (await resolver.resolveSoa("example.org").catch(() => undefined)) !== undefined;
  };
  await until("Knot answers", answers, 30_000, { detail: () => complaints });
});
afterAll(async () => {
  if (knot?.exitCode === null) {
    knot.kill();
    await once(knot, "exit");
  }
  rmSync(folder, { recursive: true });
});

/** What Knot answers, in the words of {@link dataOf}. */
async function answers({ name, type }: MailRecord): Promise<string[]> {
  switch (type) {
    case "A":
      return resolver.resolve4(name);
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
    const { status, said } = check(zone, linesIn(zone));
    expect(status, said).toBe(0);
    expect(said).not.toMatch(/warning|error/i);
  });

  test("would be refused if a line were wrong, or a name had a CNAME beside", () => {
    const [zone = ""] = ZONES;
    expect(check(zone, `${linesIn(zone)}mx IN MX mail\n`).status).not.toBe(0);
    expect(check(zone, `${linesIn(zone)}mail.${zone}. IN CNAME ns.${zone}.\n`).status).not.toBe(0);
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
    const [strings = []] = await resolver.resolveTxt("example.org");
    const spf = made.records.find(({ name, purpose }) => name === "example.org" && purpose === "spf");
    expect(strings.length).toBeGreaterThan(1);
    expect(spf?.type === "TXT" && textStrings(spf.text)).toEqual(strings);
    expect(byDomain(made.records).size).toBe(3);
  });
});
