import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { describeError } from "../../../lib/errors.ts";
import { sidecarHealthy, storesReachable } from "../../../verify/checks.ts";

const TARGET = {
  kvm: { dockerHost: "unix:///x", sidecar: "ts", stalwart: "st" },
  postgres: { host: "db.tail.test", port: 5432 },
  relay: { host: "relay.tail.test", port: 587 },
  node: "stalwart (tag:stalwart)",
};

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "tailwart-checks-"))));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A docker whose sidecar is unhealthy and off the tailnet; `ls` and State.Error are given. */
async function verdict({ error = "", ls = "true" }): Promise<string> {
  const cases = [
    `*Health.Status*) echo unhealthy ;;`,
    `*State.Error*) echo "${error}" ;;`,
    `*healthz*) exit 1 ;;`,
    `*"ls /sys"*) ${ls} ;;`,
  ];
  writeFileSync(join(folder, "docker"), `#!/bin/sh\ncase "$*" in\n${cases.join("\n")}\nesac\n`);
  chmodSync(join(folder, "docker"), 0o755);
  vi.stubEnv("PATH", `${folder}:/usr/bin:/bin`);
  return sidecarHealthy(TARGET, Date.now()).catch(describeError);
}

test("a sidecar in its ended anchor's namespace is called that", async () => {
  const ls = 'echo "ls: /sys/class/net/eth0: No such file or directory" >&2; exit 1';
  expect(await verdict({ ls })).toBe(
    "the anchor of ts has ended, and its network namespace is dead\n" +
      "  the sidecar leaves it within seconds; by hand: docker --host unix:///x restart ts",
  );
});

test("a sidecar that Docker does not start any more is told with Docker's own reason", async () => {
  const error = "cannot join network of a non running container: abc";
  const ls = 'echo "Error response from daemon: Container ts is not running" >&2; exit 1';
  expect(await verdict({ error, ls })).toBe(
    `Docker has given the sidecar ts up: ${error}\n` +
      "  kvm.startUnit starts it again within seconds; by hand: docker --host unix:///x start ts",
  );
});

test("any other sidecar off the tailnet is called that", async () => {
  expect(await verdict({})).toMatch(/^the sidecar ts is not connected to the tailnet\n/);
});

/** A docker in whose sidecar every connection ends as it is said, but for those to S3. */
async function storesWhere(redis: string, more = {}): Promise<string> {
  const cases = ["*s3.tail.test*) echo open ;;", `*redis.tail.test*) echo ${redis} ;;`];
  writeFileSync(join(folder, "docker"), `#!/bin/sh\ncase "$*" in\n${cases.join("\n")}\nesac\n`);
  chmodSync(join(folder, "docker"), 0o755);
  vi.stubEnv("PATH", `${folder}:/usr/bin:/bin`);
  return storesReachable({ ...TARGET, ...more }, Date.now()).catch(describeError);
}

test("Redis and S3 are looked for before settings name them, and who is missing is told with the tailnet's reason", async () => {
  const stores = {
    redis: { host: "redis.tail.test", port: 6379 },
    s3: { host: "s3.tail.test", port: 9000 },
  };
  expect(await storesWhere("open", stores)).toBe(
    "redis.tail.test:6379 and s3.tail.test:9000 reachable from stalwart (tag:stalwart)",
  );
  expect(await storesWhere("timeout", stores)).toMatch(
    /^Redis redis\.tail\.test:6379 is not reachable: .*no grant has stalwart[^]*are not written before/,
  );
  expect(await storesWhere("timeout", { s3: stores.s3 })).toMatch(/^s3\.tail\.test:9000 reachable/);
  expect(await storesWhere("timeout")).toBe("no further store to ask");
});
