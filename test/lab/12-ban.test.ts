// Lesson 3: a ban hits whoever earned it, seen through the edge's PROXY header, and not the edge,
// which carries everybody's mail.
import { execFileSync } from "node:child_process";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { banned, unban } from "./hands.ts";
import { container, docker, facts, greets, lab } from "./lab.ts";

/**
 * A second address of the machine outside, so that a ban, which is for good in the 0.15 line, hits
 * nothing else in the lab.
 */
const ATTACKER = "203.0.113.51";
/** Runs a command on the machine outside. Returns what it printed, whatever its exit code. */
function outside(...command: string[]): string {
  const line = ["sh", "-c", '"$@" 2>&1 || true', "sh", ...command];
  const netns = lab.layout.machines.outside.netns;
  return execFileSync("nsenter", [`--net=/run/netns/${netns}`, ...line], {
    encoding: "utf8",
    timeout: 30_000,
  });
}

function address(action: "add" | "del"): void {
  const device = /dev (\S+)/.exec(outside("ip", "route", "get", facts.wanAddress))?.[1] ?? "";
  outside("ip", "address", action, `${ATTACKER}/24`, "dev", device);
}

/**
 * What Stalwart says on the edge's :25 to somebody who calls from the address; nothing from a
 * banned one.
 */
const greeting = (from: string): string =>
  outside("sh", "-c", `{ sleep 2; echo QUIT; } | nc -w 5 -s ${from} ${facts.wanAddress} 25 | head -n 1`);

const asksFor = (path: string): string => {
  const where = [
    "--resolve",
    `${facts.mailHost}:443:${facts.wanAddress}`,
    `https://${facts.mailHost}${path}`,
  ];
  return outside(
    "curl",
    "-sS",
    "-k",
    "--max-time",
    "10",
    "--interface",
    ATTACKER,
    "-o",
    "/dev/null",
    ...where,
  );
};

beforeAll(() => address("add"));

afterAll(async () => {
  await unban(ATTACKER);
  address("del");
});

describe("a ban", () => {
  test("comes at once for a scanner's path asked for through the edge, and is the attacker's own", async () => {
    expect(await banned()).not.toContain(ATTACKER);
    expect(greeting(ATTACKER)).toMatch(/^220 /);
    // 0.16.18 sends whoever asks for a path of one part on to the same with a slash, and bans for
    // no such path by itself.
    asksFor("/wp-admin/setup-config.php");
    expect(await banned()).toContain(ATTACKER);
    expect(greeting(ATTACKER)).not.toMatch(/220/);
  });

  test("hits nobody else who comes through the same edge, and neither the edge's node nor its public address", async () => {
    expect(greets()).toBe(true);
    expect(await banned()).toEqual([ATTACKER]);
    const log = docker("kvm", "logs", container("stalwart"));
    expect(log).toContain(ATTACKER);
  });

  test("ends where an operator takes it away, and the attacker is served again", async () => {
    await unban(ATTACKER);
    expect(await banned()).toEqual([]);
    expect(greeting(ATTACKER)).toMatch(/^220 /);
  });
});
