// The records that mail needs are written into a real DNS server, Knot, by RFC 2136.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { mailRecords } from "../../lib/dns/mail-records.ts";
import { type RecordSets, recordSets, type SetChange } from "../../lib/dns/record-sets.ts";
import { isSpf } from "../../lib/dns/spf-terms.ts";
import { RecordSetResource, type RecordSetState } from "../../provider/dns/record-set.ts";
import { Rfc2136Writer } from "../../provider/dns/rfc2136.ts";
import { domain, wholeSetup } from "../unit/lib/dns/setup.ts";
import { Knot, KNOT_KEY } from "./knot.ts";
import { recordsProject } from "./settings-project.ts";

const ZONES = ["example.org", "example.net", "example.com"];
const OTHERS = "google-site-verification=abc";
const dkim = [{ selector: "tw", record: `v=DKIM1; k=rsa; p=${"M".repeat(392)}` }];
const records = recordSets(
  mailRecords(wholeSetup({ domains: ZONES.map((zone) => domain(zone)), dkim })).records,
);

let knot: Knot;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-records-"));
  // For the plugin, which the engine starts.
  vi.stubEnv("TAILWART_STATE", folder);
});
beforeEach(async () => {
  await knot?.stop();
  const others = (zone: string) => `${zone}. TXT "${OTHERS}"\nwww.${zone}. A 192.0.2.80`;
  knot = await Knot.start(Object.fromEntries(ZONES.map((zone) => [zone, others(zone)])));
  rmSync(folder, { recursive: true });
});
afterAll(async () => {
  await knot?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const where = () => ({
  type: "rfc2136" as const,
  host: "127.0.0.1",
  port: knot.port,
  keyName: KNOT_KEY.name,
  algorithm: KNOT_KEY.algorithm,
});
const state = (more: Partial<RecordSetState> = {}): RecordSetState => ({
  writer: where(),
  secret: KNOT_KEY.secret,
  records,
  adopt: [],
  servers: [knot.address],
  removeOnDestroy: false,
  ...more,
});
const said: string[] = [];
const say = (line: string) => void said.push(line);
const resource = () => new RecordSetResource({ folder, patience: 0 });
const up = (desired: RecordSetState, previous?: RecordSetState) => resource().apply(desired, previous, say);
const live = (keys = Object.keys(records)) => new Rfc2136Writer(where(), KNOT_KEY.secret).read(keys);
const sorted = (sets: RecordSets) =>
  Object.fromEntries(Object.entries(sets).map(([key, values]) => [key, values.toSorted()]));
const withOthers = (sets: RecordSets) =>
  sorted(
    Object.fromEntries(
      Object.entries(sets).map(([key, values]) => [
        key,
        ZONES.some((zone) => key === `${zone} TXT`) ? [...values, OTHERS] : values,
      ]),
    ),
  );

describe("the records", () => {
  test("are there after one deploy as they were declared, beside other people's, and a second one writes nothing", async () => {
    await up(state());
    expect(sorted(await live())).toEqual(withOthers(records));
    // Asked by somebody else's program, too.
    expect(await knot.resolver.resolveMx("example.org")).toMatchObject([
      { exchange: "mail.example.org", priority: 10 },
    ]);
    expect((await knot.texts("tw._domainkey.example.net"))[0]).toBe(dkim[0]?.record);
    expect(await knot.resolver.resolve4("www.example.org")).toEqual(["192.0.2.80"]);
    const saved = readdirSync(folder);
    expect(saved).toHaveLength(1);
    expect(said.join("\n")).toContain(join(folder, saved[0] ?? ""));
    expect(JSON.parse(readFileSync(join(folder, saved[0] ?? ""), "utf8"))).toMatchObject({
      "example.org TXT": [OTHERS],
      "example.org MX": [],
    });
    await up(state(), state());
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test("that somebody has set otherwise stop it, with both values and what lets it go on, and nothing is written", async () => {
    knot.edit(
      "example.org",
      ["zone-set", "@", "5", "MX", "5 old.example.com."],
      ["zone-set", "@", "5", "TXT", '"v=spf1 mx -all"'],
    );
    const refusal = await up(state()).catch(String);
    expect(refusal).toContain("there is: 5 old.example.com.\n");
    expect(refusal).toContain("wanted:   10 mail.example.org.");
    expect(refusal).toContain("there is: v=spf1 mx -all");
    expect(refusal).toContain('adopt: ["example.org MX","example.org TXT"]');
    expect(refusal).not.toContain(OTHERS);
    expect(await live(["example.net MX"])).toEqual({ "example.net MX": [] });
    await up(state({ adopt: ["example.org MX", "example.org TXT"] }));
    expect(sorted(await live())).toEqual(withOthers(records));
  });

  test("that were edited by hand show in a refresh; what is gone comes back, and what somebody has put there is theirs", async () => {
    await up(state());
    knot.edit("example.org", ["zone-unset", "@", "MX"], ["zone-set", "@", "5", "MX", "5 old.example.com."]);
    knot.edit("example.net", ["zone-unset", "_dmarc", "TXT"]);
    const seen = await resource().read(state());
    expect(seen.records["example.org MX"]).toEqual(["5 old.example.com."]);
    expect(seen.records).not.toHaveProperty(["_dmarc.example.net TXT"]);
    expect(seen.records["example.org TXT"]).toEqual(records["example.org TXT"]);
    await expect(up(state(), seen)).rejects.toThrow(/there is: 5 old\.example\.com\./);
    const again = await resource().read(seen);
    expect(again).toEqual(seen);
    await up(state({ adopt: ["example.org MX"] }), seen);
    expect(sorted(await live())).toEqual(withOthers(records));
  });

  test("that are declared no more go, and so they do with the stack, but for MX, its hosts and DKIM unless told", async () => {
    await up(state());
    const { "example.org TXT": _, ...rest } = records;
    await up(state({ records: rest }), state());
    expect(await live(["example.org TXT"])).toEqual({ "example.org TXT": [OTHERS] });
    await resource().delete(state({ records: rest }), say);
    const left = Object.entries(await live()).filter(([, values]) => values.length > 0);
    for (const [key, values] of left)
      expect(
        / MX$|^mail\.\S+ A$|\._domainkey\./.test(key) || values.join() === OTHERS,
        `${key} ${values.join()}`,
      ).toBe(true);
    expect(left.filter(([key]) => key.endsWith(" MX"))).toHaveLength(ZONES.length);
    expect(left.map(([key]) => key)).toContain("mail.example.org A");
    await resource().delete(state({ records: rest, removeOnDestroy: true }), say);
    expect(Object.values(await live()).flat()).toEqual(ZONES.map(() => OTHERS));
  });

  test("are not written by a key that may not, and its secret is in no message", async () => {
    const secret = Buffer.alloc(32, "dead").toString("base64");
    const refusal = await up(state({ secret })).catch(String);
    expect(refusal).toMatch(/refuses to change the zone example\.org by the key "writes": NOTAUTH, BADSIG/);
    expect(refusal).not.toContain(secret);
    expect(Object.values(await live()).flat()).toEqual(ZONES.map(() => OTHERS));
  });
});

describe("an SPF record that becomes another", () => {
  const spf = (i: number) => [`v=spf1 ip4:192.0.2.${i} ~all`];
  /** How many SPF records the server has shown at once, while the work went on. */
  async function watched(work: (step: number) => Promise<unknown>): Promise<Set<number>> {
    const counts = new Set<number>();
    let done = false;
    const looks = (async () => {
      while (!done) counts.add((await knot.texts("example.org")).filter(isSpf).length);
    })();
    for (let step = 1; step <= 15; step++) await work(step);
    done = true;
    await looks;
    return counts;
  }
  const change = (step: number): SetChange => ({
    key: "example.org TXT",
    remove: spf(step - 1),
    add: spf(step),
  });

  test("is never two, and never none, at any moment that the server is asked", async () => {
    const sets = (i: number) => ({ "example.org TXT": spf(i) });
    await up(state({ records: sets(0) }));
    const counts = await watched((i) => up(state({ records: sets(i) }), state({ records: sets(i - 1) })));
    expect(counts).toEqual(new Set([1]));
    expect(await knot.texts("example.org")).toEqual([OTHERS, ...spf(15)]);
  });

  test("would be seen twice if what comes were written before what goes", async () => {
    const writer = new Rfc2136Writer(where(), KNOT_KEY.secret);
    await up(state({ records: { "example.org TXT": spf(0) } }));
    const counts = await watched(async (i) => {
      await writer.write([{ ...change(i), remove: [] }]);
      await sleep(20);
      await writer.write([{ ...change(i), add: [] }]);
    });
    expect(counts).toContain(2);
  });
});

describe("a deploy that is killed", () => {
  /** Runs one in a process of its own, which is killed as it is about to send its nth update. */
  async function killedAt(nth: number): Promise<NodeJS.Signals | null> {
    const program = `
      import { connect } from "node:net";
      import { RecordSetResource } from ${JSON.stringify(join(import.meta.dirname, "../../provider/dns/record-set.ts"))};
      import { Rfc2136Writer } from ${JSON.stringify(join(import.meta.dirname, "../../provider/dns/rfc2136.ts"))};
      const state = JSON.parse(process.env.STATE);
      let updates = 0;
      const dial = () => {
        const socket = connect(state.writer.port, state.writer.host);
        const write = socket.write.bind(socket);
        socket.write = (bytes, ...rest) => {
          // Opcode 5, after the length (RFC 2136 §2.2).
          if ((bytes[4] & 0x78) >> 3 === 5 && ++updates === ${nth}) process.kill(process.pid, "SIGKILL");
          return write(bytes, ...rest);
        };
        return socket;
      };
      const writerOf = ({ writer, secret }) => new Rfc2136Writer(writer, secret, dial);
      await new RecordSetResource({ writerOf, folder: process.env.FOLDER, patience: 0 }).apply(state, undefined, () => {});`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
      env: { ...process.env, STATE: JSON.stringify(state()), FOLDER: folder },
      stdio: "ignore",
    });
    const [, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return signal;
  }

  test.each([1, 2, 3])("before its update %i is finished by the next one, which asks nobody", async (nth) => {
    expect(await killedAt(nth)).toBe("SIGKILL");
    const written = ZONES.filter((_, i) => i < nth - 1);
    for (const zone of ZONES)
      expect((await live([`${zone} MX`]))[`${zone} MX`]).toHaveLength(written.includes(zone) ? 1 : 0);
    await up(state());
    expect(sorted(await live())).toEqual(withOthers(records));
  });
});

test(
  "by the engine: a preview names the record that changes, a refresh sees a hand edit, and the secret is in no state",
  { timeout: 600_000 },
  async () => {
    const project = recordsProject();
    const MX = "example.org MX";
    const args = (...mx: string[]) =>
      project.args({
        ...state(),
        records: { [MX]: mx, "_dmarc.example.org TXT": ["v=DMARC1; p=none"] },
        domains: ["example.org"],
      });
    try {
      await project.init();
      args("10 mail.example.org.");
      const up = await project.up();
      expect(up.status, up.output).toBe(0);
      args("20 mail.example.org.");
      const { output } = await project.preview();
      expect(output).toMatch(/~ example\.org *: \(json\) \{$/m);
      const changed = output.split("\n").filter((line) => /^ {12}\s*[~+-] /.test(line));
      expect(changed.map((line) => line.trim().replace(/\s+:/, ":"))).toEqual([
        "~ example.org MX: [",
        '~ [0]: "10 mail.example.org." => "20 mail.example.org."',
      ]);
      args("10 mail.example.org.");
      knot.edit("example.org", ["zone-unset", "_dmarc", "TXT"]);
      const refresh = await project.pulumi("refresh", "--yes", "--skip-preview", "--diff", "--stack", "test");
      expect(refresh.output).toContain("_dmarc.example.org TXT");
      expect((await project.up()).status).toBe(0);
      expect(await knot.texts("_dmarc.example.org")).toEqual(["v=DMARC1; p=none"]);
      expect((await project.pulumi("stack", "export", "--stack", "test")).output).not.toContain(
        KNOT_KEY.secret,
      );
      expect((await project.pulumi("destroy", "--yes", "--skip-preview", "--stack", "test")).status).toBe(0);
      expect(await live([MX])).toEqual({ [MX]: ["10 mail.example.org."] });
      expect(await knot.texts("_dmarc.example.org")).toEqual([]);
    } finally {
      project.remove();
    }
  },
);
