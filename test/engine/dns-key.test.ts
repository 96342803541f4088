// The DNS key is tried (lesson 2) at a real DNS server, Knot, through the pipe that reaches one
// from beside Stalwart.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { Resolver } from "node:dns/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type DnsKeyTrial, tryDnsKey } from "../../verify/dns-key.ts";
import { freePort } from "./stalwart-server.ts";
import { requireProgram } from "./toolchain.ts";

const NAME = "_acme-challenge.lab.test";
const SECRET = Buffer.alloc(32, "right").toString("base64");
const folder = mkdtempSync(join(tmpdir(), "tailwart-knot-"));
let port: number;
let knot: ChildProcess;

beforeAll(async () => {
  port = await freePort();
  mkdirSync(join(folder, "run"));
  const records = ["lab.test. SOA ns.lab.test. h.lab.test. 1 3600 600 86400 5", "lab.test. NS ns.lab.test."];
  writeFileSync(join(folder, "lab.test.zone"), `$TTL 5\n${records.join("\n")}\nns.lab.test. A 127.0.0.1\n`);
  const key = (id: string) => `  - id: ${id}\n    algorithm: hmac-sha256\n    secret: ${SECRET}\n`;
  const acl = (id: string, only: string) => `  - id: ${id}\n    key: ${id}\n    action: update\n${only}`;
  const own = `    update-owner: name\n    update-owner-match: equal\n    update-owner-name: ${NAME}.\n`;
  const config = `server:
    rundir: ${join(folder, "run")}
    listen: 127.0.0.1@${port}
database:
    storage: ${folder}
key:
${key("writes")}${key("reads")}acl:
${acl("writes", own)}template:
  - id: default
    storage: ${folder}
    file: "%s.zone"
    zonefile-sync: -1
    journal-content: none
zone:
  - domain: lab.test.
    acl: writes
`;
  writeFileSync(join(folder, "knot.conf"), config);
  knot = spawn(requireProgram("knotd", "apt-get install knot"), ["--config", join(folder, "knot.conf")], {
    stdio: "ignore",
  });
  for (const deadline = Date.now() + 20_000; ; await sleep(100)) {
    const socket = connect(port, "127.0.0.1");
    const open = await Promise.race([once(socket, "connect"), once(socket, "error")]).then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) break;
    if (Date.now() > deadline) throw new Error("Knot does not listen within 20 s");
  }
});

afterAll(async () => {
  if (knot.exitCode === null) {
    knot.kill();
    await once(knot, "exit");
  }
  rmSync(folder, { recursive: true });
});

/** Tries a key; what was said, and what is left in the zone. */
async function tried(more: Partial<DnsKeyTrial> = {}) {
  const trial: DnsKeyTrial = {
    ...{ host: "127.0.0.1", port, protocol: "udp", keyName: "writes", algorithm: "hmac-sha256" },
    ...{ names: [NAME], secret: SECRET, ...more },
  };
  let [said, error] = ["", ""];
  try {
    said = await tryDnsKey(() => connect(trial.port, trial.host), trial);
  } catch (refusal) {
    error = String(refusal);
  }
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  const left = await resolver.resolveTxt(NAME).catch(() => []);
  return { said, error, left };
}

describe("a DNS key", () => {
  test("that is good writes, reads and deletes, and leaves nothing behind", async () => {
    const { said, error, left } = await tried();
    expect(error).toBe("");
    expect(said).toBe(`the DNS key "writes" writes and deletes at 127.0.0.1:${port}: ${NAME}`);
    expect(left).toEqual([]);
  });

  test.each([
    ["with another secret", { secret: Buffer.alloc(32, "dead").toString("base64") }, /BADSIG/],
    ["that the server does not know", { keyName: "stranger" }, /BADKEY/],
    ["that may not write", { keyName: "reads" }, /may write there \(BADKEY\)/],
    ["for another name than it may write", { names: ["_acme-challenge.x.lab.test"] }, /BADKEY/],
    ["for a zone that is elsewhere", { names: ["_acme-challenge.other.test"] }, /no zone/],
  ])("%s is refused, with the server's answer and what to do", async (_what, more, says) => {
    const { error, left } = await tried(more);
    expect(error).toMatch(says);
    expect(error).toContain("(lesson 2); Stalwart is left as it was");
    expect(error).toContain("pulumi config set --secret tailwart:dnsSecret");
    expect(error).not.toContain(SECRET);
    expect(left).toEqual([]);
  });

  test("of a server that is not there is refused where updates go by TCP, and told of where they do not", async () => {
    const nobody = await freePort();
    expect((await tried({ port: nobody, protocol: "tcp" })).error).toMatch(/does not answer over TCP/);
    const { error, said } = await tried({ port: nobody, protocol: "udp" });
    expect(error).toBe("");
    expect(said).toMatch(/does not answer over TCP.*whether its key "writes" can write is not known/);
  });
});
