import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { labCa } from "../../lab/ca.ts";
import { FAKES, startSpaceship, stopFake } from "../../lab/fakes/index.ts";
import { setSecret, writeStackConfig } from "../parts/lab-config.ts";
import type { Bench } from "./bench.ts";
import { describeShown, shown } from "./certificates.ts";
import { type Half, type Lesson, type Seen, withoutGuard } from "./lesson.ts";
import { stalwartLog } from "./mail.ts";

/** A client of its own, new each time: what another was issued would be shown again. */
const CLIENT = `lesson-2-${randomUUID().slice(0, 8)}`;
const CONFIG = { "tailwart:acme/0/id": CLIENT, "tailwart:settings/logLevel": "debug" };
/** A key that nobody knows: recovery debris. */
const DEAD = Buffer.alloc(32, "dead").toString("base64");
/** How long an order may take. Seconds. */
const PATIENCE = 40;

export const lesson02: Lesson = {
  number: 2,
  title: "A dead key of the DNS API",
  preventedBy:
    "a canary is written, read and deleted before anything depends on the key (`verify/dns-key.ts`)",
  refusedBy: ["acme-dns-secret-present"],
  cause: {
    taken: "The key was invalid, and nobody could see it: secrets show as blank.",
    found: "A request that only reads proves nothing either: keys may be limited to reading.",
  },
  // What the pack is asked about: no secret at all. A dead one it cannot know.
  ways: [
    {
      name: "",
      config: { ...withoutGuard(2), "tailwart:dnsProvider": undefined, "tailwart:dns/write": false },
    },
  ],
  deploys: false,

  async prepare({ lab: { layout } }) {
    await startSpaceship(layout, [
      { key: "good", secret: "good-secret", scopes: ["dnsrecords:read", "dnsrecords:write"] },
      { key: "reads", secret: "reads-secret", scopes: ["dnsrecords:read"] },
    ]);
  },

  async play(half) {
    const { bench } = half;
    await half.does("the stack as it is declared", "operator: pulumi up", () => alive(bench));
    const seenDns = dnsLog(bench).length;
    const said = await half.does("it is deployed with a dead key", "operator: pulumi up", () =>
      deployDead(half),
    );
    await half.sees(
      {
        from: "operator: what `pulumi up` says",
        outage: "it ends well, with no word of the key",
        held: "it fails before anything is set, and names the key and the server's answer",
      },
      () => Promise.resolve(judge(said)),
    );
    await half.sees(
      {
        from: "outside: TLS to edge:993; Stalwart's log and the DNS server's",
        outage: "a certificate that Stalwart has signed itself; BADSIG at every record",
        held: "still the CA's certificate",
      },
      () => afterwards(bench, seenDns),
    );
    await half.sees(
      {
        from: `operator: curl https://${FAKES.spaceship.host}/api/v1/dns/records (a fake), by each key`,
        outage: "a GET alone: 401 for the dead key, and 200 for one that may only read",
        held: "a canary: 401, 403, and 204 for the good key alone",
      },
      () => spaceship(half),
    );
  },

  async restore(bench) {
    await stopFake(bench.lab.layout, "spaceship");
    await writeStackConfig(bench.lab.stack, bench.lab.facts, {});
    await setSecret(bench.lab.stack, "tailwart:dnsSecret", bench.lab.facts.dns.tsigKey);
    bench.changedByHand();
  },
};

/** The stack with the right key, whose certificate a client outside takes. */
async function alive(bench: Bench): Promise<void> {
  const { stack, facts } = bench.lab;
  await writeStackConfig(stack, facts, {});
  await setSecret(stack, "tailwart:dnsSecret", facts.dns.tsigKey);
  bench.changedByHand();
  await bench.deploy({});
  if (
    (await bench.within(PATIENCE, async () => (await shown(bench, facts.mailHost, 993)).trusted)) ===
    undefined
  )
    throw new Error("there is no certificate to begin with");
}

/** Deploys with the dead key. Returns what the engine said, and its exit code first. */
async function deployDead({ bench, guard }: Half): Promise<string> {
  await setSecret(bench.lab.stack, "tailwart:dnsSecret", DEAD);
  const config = { ...CONFIG, ...(guard ? {} : withoutGuard(2)) };
  const run = await bench.deploy(config, { pack: false, mayFail: true });
  return `${run?.code}\n${run?.stdout}${run?.stderr}`;
}

function judge(said: string): Seen {
  const refusal = /refuses the key[^\n]*/.exec(said)?.[0];
  const code = said.split("\n")[0] ?? "";
  if (code === "0")
    return { words: "exit code 0, and no word of the key", is: refusal === undefined ? "outage" : "neither" };
  const words = `exit code ${code}: ${refusal ?? said.trim().split("\n").slice(-3).join(" ")}`;
  return { words, is: refusal?.includes("BADSIG") ? "held" : "neither" };
}

const dnsLog = ({ lab }: Bench) => readFileSync(join(lab.layout.logDir, "net-dns.log"), "utf8");

/** What a client sees once Stalwart has tried, or has not. */
async function afterwards(bench: Bench, seenDns: number): Promise<Seen> {
  const refused = async () =>
    (await stalwartLog(bench)).some(
      (line) => line.includes("dns-record-creation-failed") && line.includes(CLIENT),
    );
  const ordered = async () => (await stalwartLog(bench)).some((line) => line.includes(`"${CLIENT}"`));
  const took = await bench.within((await ordered()) ? PATIENCE : 5, refused);
  const certificate = await shown(bench, bench.lab.facts.mailHost, 993);
  const log = dnsLog(bench).slice(seenDns);
  const told =
    took === undefined ? "Stalwart's log has no refusal" : "Stalwart's log: DNS record creation failed";
  const words = `${describeShown(certificate)}; ${told}; Knot's: ${log.match(/verification failed '(\w+)'/)?.[1] ?? "nothing"}`;
  if (certificate.trusted) return { words, is: took === undefined ? "held" : "neither" };
  return { words, is: took !== undefined && log.includes("BADSIG") ? "outage" : "neither" };
}

/** What three keys can do at a DNS API: by a GET alone, or by a canary. */
async function spaceship({ bench, guard }: Half): Promise<Seen> {
  const keys = [
    ["dead", "dead-secret"],
    ["reads", "reads-secret"],
    ["good", "good-secret"],
  ] as const;
  const answers: string[] = [];
  for (const key of keys) answers.push((await asked(bench, key, guard)).join(" "));
  const words = `dead ${answers[0]}, read-only ${answers[1]}, good ${answers[2]}`;
  if (answers.join() === "401,200,200") return { words, is: "outage" };
  return { words, is: answers.join() === "401,403,204 200 204" ? "held" : "neither" };
}

/** The statuses of a GET, or of a canary: until one is an error. */
async function asked(bench: Bench, key: readonly [string, string], canary: boolean): Promise<number[]> {
  const { mailDomain } = bench.lab.facts;
  const url = `https://${FAKES.spaceship.host}/api/v1/dns/records/${mailDomain}`;
  const record = { type: "TXT", name: "_acme-challenge", value: `tailwart-canary-${randomUUID()}`, ttl: 60 };
  const read = { method: "GET", url: `${url}?take=500&skip=0`, body: "" };
  const steps = canary
    ? [
        { method: "PUT", url, body: JSON.stringify({ items: [record] }) },
        read,
        { method: "DELETE", url, body: JSON.stringify([record]) },
      ]
    : [read];
  const ca = await labCa(bench.lab.layout);
  const statuses: number[] = [];
  for (const { method, url: to, body } of steps) {
    // By a config on standard input, as in no list of processes a secret stands.
    const options = {
      url: to,
      request: method,
      cacert: ca,
      output: "/dev/null",
      "write-out": "%{http_code}",
      ...(body && { data: body }),
    };
    const headers = [`X-Api-Key: ${key[0]}`, `X-Api-Secret: ${key[1]}`, "Content-Type: application/json"];
    const lines = [...Object.entries(options), ...headers.map((each) => ["header", each] as const)];
    const stdin = ["silent", ...lines.map(([name, value]) => `${name} = ${JSON.stringify(value)}`)].join(
      "\n",
    );
    const { stdout } = await bench.on("operator", ["curl", "--config", "-"], { stdin });
    statuses.push(Number(stdout));
    if (Number(stdout) >= 400) break;
  }
  return statuses;
}
