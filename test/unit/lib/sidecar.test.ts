import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { runCommand } from "../../../lib/run-command.ts";
import { SIDECAR_START } from "../../../lib/sidecar.ts";

let folder: string;

/** Stand-ins for the image's programs: they write down how they were called, and ip6tables fails on demand. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-sidecar-"));
  const fake = (name: string, more = "") => {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >> "$LOG"\n${more}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  for (const family of ["iptables", "ip6tables"]) {
    fake(family, '[ "$1" != -C ]'); // the chain is not in INPUT yet
    fake(
      `${family}-restore`,
      `${family === "ip6tables" ? '[ -z "$NO_IPV6" ] || exit 1' : ""}\ncat >> "$LOG"`,
    );
  }
  fake("containerboot");
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(script: string, more: Record<string, string> = {}) {
  const log = join(folder, `log-${Math.random()}`);
  writeFileSync(log, "");
  const env = { PATH: `${folder}:/usr/bin:/bin`, LOG: log, ...more };
  const { status } = await runCommand("sh", ["-c", script], { deadline: 5000, env });
  return { status, calls: readFileSync(log, "utf8").trim().split("\n") };
}

test("the sidecar's start is a script that sh can read", async () => {
  expect(await runCommand("sh", ["-n"], { stdin: SIDECAR_START, deadline: 5000 })).toMatchObject({
    status: 0,
    stderr: "",
  });
});

test("only loopback, the tailnet and answers are let in, for both families, before containerboot starts", async () => {
  const { status, calls } = await start(SIDECAR_START);
  const family = (name: string) => [
    `${name}-restore --noflush`,
    "*filter",
    ":tailwart-in - [0:0]",
    "-A tailwart-in -i lo -j RETURN",
    "-A tailwart-in -i tailscale0 -j RETURN",
    "-A tailwart-in -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN",
    "-A tailwart-in -j DROP",
    "COMMIT",
    `${name} -C INPUT -j tailwart-in`,
    `${name} -I INPUT 1 -j tailwart-in`,
  ];
  expect(status).toBe(0);
  expect(calls).toEqual([...family("iptables"), ...family("ip6tables"), "containerboot"]);
});

test("without an IPv6 firewall it starts only where the namespace has no IPv6", async () => {
  const at = (file: string) => start(SIDECAR_START.replace("/proc/net/if_inet6", file), { NO_IPV6: "1" });
  expect((await at("/dev/null")).calls.at(-1)).toBe("containerboot");
  const open = await at("/etc/passwd"); // any file with text: the namespace has an IPv6 address
  expect(open.status).not.toBe(0);
  expect(open.calls.join("\n")).not.toContain("containerboot");
});
