// `npm run doctor`: quiet on a stack that works, and with each fault the one row that is to blame.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { afterEach, beforeAll, describe, expect, test } from "vitest";

import { inNetns, runInNetns } from "../../lab/run.ts";
import { isRegistry } from "./hands.ts";
import { doctor, DOCTOR, type Outcome, red, told } from "./doctor.ts";
import { FAULTS } from "./doctor-faults.ts";
import { NAME_FAULTS } from "./doctor-faults-names.ts";
import { TLS_FAULTS } from "./doctor-faults-tls.ts";
import { eventually, facts, layout, said, up } from "./lab.ts";
import { LAB } from "./setup.ts";

const FULL = process.env["TAILWART_FULL"];
/** A regular expression for the only faults to show, for whoever works on some. */
const ONLY = process.env["TAILWART_FAULT"];
/** Seconds within which a fault is to be seen, and its end. */
const PATIENCE = 60;

/** Examines again until it is as it should be; the last outcome either way. */
async function examinedUntil(is: (outcome: Outcome) => boolean): Promise<Outcome & { after: number }> {
  const start = Date.now();
  for (;;) {
    const outcome = await doctor();
    const after = (Date.now() - start) / 1000;
    if (is(outcome) || after > PATIENCE) return { ...outcome, after };
  }
}

const words = (outcome: Outcome) => red(outcome).map((id) => `${id}: ${told(outcome, id)}`);

const warned = ({ rows }: Outcome) => rows.filter(({ state }) => state === "warn").map(({ id }) => id);

beforeAll(async () => {
  const deployed = await up({}, "--refresh");
  expect(deployed.code, said(deployed)).toBe(0);
  // The CA is not waited for by `up`.
  expect(words(await examinedUntil(({ code }) => code === 0))).toEqual([]);
});

describe("a stack that works", () => {
  test(`is examined ${FULL ? 20 : 3} times without a false alarm, in at most 15 s each`, async () => {
    for (let time = 0; time < (FULL ? 20 : 3); time++) {
      const outcome = await doctor();
      expect(words(outcome)).toEqual([]);
      expect([outcome.code, warned(outcome)]).toEqual([0, []]);
      expect(outcome.seconds).toBeLessThanOrEqual(15);
    }
  });
});

test("docs/deliverability.md's command finds each declared record published", async () => {
  const page = readFileSync(new URL("../../docs/deliverability.md", import.meta.url), "utf8");
  const [, words = ""] = /^ {4}npm run doctor -- --stack prod (.+)$/m.exec(page) ?? [];
  const outcome = await doctor(...words.split(" "));
  expect([outcome.code, warned(outcome)]).toEqual([0, []]);
  const published = [
    "dns-host",
    "dns-mx",
    "dns-spf",
    "dns-dkim",
    "dns-dmarc",
    "dns-mta-sts",
    "dns-srv",
    "dns-web",
  ];
  const found = outcome.rows.filter((row) => row.state === "ok").map(({ id }) => id);
  expect(found).toEqual(
    expect.arrayContaining([...published, "dns-servers", "dns-aaaa", "dns-ptr", "dns-dnssec", "dns-dnsbl"]),
  );
});

test("the DNS server's key is tried only when that is asked, and nothing is left of it", async () => {
  const script = `const resolver = new (require("dns").promises.Resolver)();
    resolver.setServers(["${layout.dns}"]);
    resolver.resolveTxt("_acme-challenge.${facts.mailDomain}").then(console.log, ({ code }) => console.log(code))`;
  const records = async () =>
    (await runInNetns(layout.machines.operator.netns, [process.execPath, "-e", script])).stdout;
  const before = await records();
  expect(told(await doctor("--only", "dns-canary"), "dns-canary")).toMatch(/only with --canary/);
  const tried = await doctor("--only", "dns-canary", "--canary");
  expect(tried.rows.find(({ id }) => id === "dns-canary")?.state).toBe("ok");
  expect(await records()).toBe(before);
});

describe("a fault turns its own row red and no stranger's, and is gone when it is mended", () => {
  const some = (ci?: true) => (ONLY === undefined ? FULL || ci : true);
  const faults = [...FAULTS, ...NAME_FAULTS, ...TLS_FAULTS].filter(
    ({ what, ci, line }) =>
      some(ci) && new RegExp(ONLY ?? "").test(what) && (line === undefined || !isRegistry),
  );
  let heal: (() => unknown) | undefined;
  // Whatever a test has found: the next one is to meet a stack that works.
  afterEach(async () => {
    await heal?.();
    heal = undefined;
  });

  test.each(faults)("$what: $row", async (fault) => {
    heal = fault.heal;
    await fault.inject();
    const seen = await examinedUntil((outcome) => outcome.code === 1 && String(red(outcome)) === fault.row);
    expect(words(seen)).toEqual([expect.stringMatching(new RegExp(`^${fault.row}: `))]);
    expect(told(seen, fault.row)).toMatch(fault.says);
    expect(seen.after).toBeLessThanOrEqual(PATIENCE);
    heal = undefined;
    await fault.heal();
    const healed = await examinedUntil(({ code }) => code === 0);
    expect(words(healed)).toEqual([]);
    expect(healed.after).toBeLessThanOrEqual(PATIENCE);
    console.log(
      `${fault.what}: red after ${seen.after.toFixed(0)} s, green after ${healed.after.toFixed(0)} s`,
    );
  });
});

/** Somebody on the internet who takes webhooks: what was posted, in order. */
async function receiver(port: number) {
  const server = `require("http").createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk)).on("end", () => {
      console.log(body);
      response.end();
    });
  }).listen(${port}, () => console.log("listens"))`;
  const [program, ...args] = inNetns(layout.machines.outside.netns, [process.execPath, "-e", server]);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  createInterface(child.stdout).on("line", (line) => lines.push(line));
  await eventually("the receiver listens", 20, () => lines.length > 0);
  const posts = () =>
    lines.slice(1).map((line) => JSON.parse(line) as { title: string; text: string; bad: boolean });
  return { posts, url: `http://${layout.machines.outside.address}:${port}/hook`, stop: () => child.kill() };
}

test("as a service it tells a webhook what has changed and no more, and Prometheus what holds", async () => {
  const fault = FAULTS.find(({ what }) => what === "the smarthost is stopped");
  const hook = await receiver(9095);
  const args = [DOCTOR, "--name", LAB, "--loop", "--every", "10s", "--metrics", "9464"];
  const env = { ...process.env, TAILWART_ALERT: hook.url };
  const service = spawn(process.execPath, args, { env, stdio: ["ignore", "inherit", "inherit"] });
  const metrics = async () => {
    const curl = ["curl", "-sf", "http://127.0.0.1:9464/metrics"];
    return (await runInNetns(layout.machines.operator.netns, curl)).stdout;
  };
  const relayIs = async (state: string) =>
    (await metrics()).includes(`{what="stack ${LAB}",check="relay",from="namespace",state="${state}"} 1`);
  try {
    await eventually("the first look is to be had", 60, () => relayIs("ok"));
    await fault?.inject();
    await eventually("the webhook hears of it", 120, () => hook.posts().length > 0);
    expect(hook.posts()[0]).toMatchObject({ title: `stack ${LAB}: relay`, bad: true });
    expect(hook.posts()[0]?.text).toMatch(/relay: The relay .* is not reachable[^]*fix: docker /);
    expect(await relayIs("fail")).toBe(true);
    await fault?.heal();
    await eventually("the webhook hears of its end", 120, () => hook.posts().length > 1);
    await eventually("another look is done", 60, () => relayIs("ok"));
    expect(hook.posts().slice(1)).toMatchObject([{ title: `stack ${LAB} works again`, bad: false }]);
    service.kill("SIGTERM");
    await once(service, "exit");
    expect(service.exitCode).toBe(0);
  } finally {
    await fault?.heal();
    service.kill("SIGKILL");
    hook.stop();
  }
});
