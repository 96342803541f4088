import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { sidecarHealthTest } from "../../../../lib/tailnet/health.ts";
import { runCommand } from "../../../../lib/run-command.ts";

let bin: string;

/** Programs that answer with the exit codes of LS, WGET and NC, and tell what they were asked. */
beforeAll(() => {
  bin = mkdtempSync(join(tmpdir(), "tailwart-health-"));
  for (const name of ["ls", "wget", "nc"]) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >&2\nexit "$${name.toUpperCase()}"\n`);
    chmodSync(join(bin, name), 0o755);
  }
});
afterAll(() => rmSync(bin, { recursive: true }));

function health(wget: number, nc: number, ls = 0) {
  const [kind, line = ""] = sidecarHealthTest("the-record-prod.tail.test", 5433);
  expect(kind).toBe("CMD-SHELL");
  const env = { PATH: `${bin}:/usr/bin:/bin`, LS: String(ls), WGET: String(wget), NC: String(nc) };
  return runCommand("sh", ["-c", line], { deadline: 5000, env });
}

test("the sidecar is healthy when tailscaled is up and Postgres takes a connection (lesson 1)", async () => {
  const { status, stderr } = await health(0, 0);
  expect(status).toBe(0);
  expect(stderr).toContain("127.0.0.1:9002/healthz");
  expect(stderr).toMatch(/^nc .*the-record-prod\.tail\.test 5433$/m);
});

test.each([
  ["tailscaled is down", 1, 0],
  ["Postgres cannot be reached", 0, 1],
])("the sidecar is unhealthy when %s", async (_, wget, nc) => {
  expect((await health(wget, nc)).status).not.toBe(0);
});

test("the sidecar is unhealthy in a dead namespace, and the health log names the device", async () => {
  const { status, stderr } = await health(0, 0, 1);
  expect(status).not.toBe(0);
  expect(stderr).toBe("ls /sys/class/net/eth0\n");
});
