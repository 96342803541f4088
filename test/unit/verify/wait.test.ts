import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { describeError } from "../../../lib/errors.ts";
import { withNeeds } from "../../../verify/check.ts";
import { UP_CHECKS } from "../../../verify/checks/up.ts";
import { holds } from "../../../verify/wait.ts";

const TARGET = {
  kvm: { dockerHost: "unix:///x", sidecar: "ts-sidecar", stalwart: "st" },
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

const container = (name: string, state: object) => ({
  Name: `/${name}`,
  State: { Running: true, Error: "", StartedAt: "2026-01-01T00:00:00Z", ...state },
  Config: { Image: "x" },
});

/** A docker that answers as it is given, and with the containers of a stack that runs. */
function serve(cases: string[], sidecar: object = {}): void {
  const states = [container("ts-anchor", {}), container("ts-sidecar", sidecar), container("st", {})];
  writeFileSync(join(folder, "inspected"), JSON.stringify(states));
  const answers = [...cases, `*" inspect "*) cat ${folder}/inspected ;;`].join("\n");
  writeFileSync(join(folder, "docker"), `#!/bin/sh\ncase "$*" in\n${answers}\nesac\n`);
  chmodSync(join(folder, "docker"), 0o755);
  vi.stubEnv("PATH", `${folder}:/usr/bin:/bin`);
}

/** What an `up` says that ends with a check. */
async function up(id: string, patience = 0, more = {}): Promise<string> {
  let said = "";
  try {
    for (const check of withNeeds(UP_CHECKS, [id]))
      said = await holds(check, { ...TARGET, ...more }, Date.now() + patience);
  } catch (error) {
    return describeError(error);
  }
  return said;
}

function upWith(id: string, cases: string[], sidecar: object = {}, more = {}): Promise<string> {
  serve(cases, sidecar);
  return up(id, 0, more);
}

test("a sidecar in its ended anchor's namespace is called that", async () => {
  const dead = `*"ls /sys"*) echo "ls: /sys/class/net/eth0: No such file or directory" >&2; exit 1 ;;`;
  expect(await upWith("sidecar", [dead])).toBe(
    "the anchor of ts-sidecar has ended, and its network namespace is dead\n" +
      "  the sidecar leaves it within seconds; by hand: docker --host unix:///x restart ts-sidecar",
  );
});

test("a sidecar that Docker does not start any more is told with Docker's own reason", async () => {
  const Error = "cannot join network of a non running container: abc";
  expect(await upWith("sidecar", [], { Running: false, Error })).toBe(
    `Docker has given the sidecar ts-sidecar up: ${Error}\n` +
      "  kvm.startUnit starts it again within seconds; by hand: docker --host unix:///x start ts-sidecar",
  );
});

test("any other sidecar off the tailnet is called that", async () => {
  expect(await upWith("sidecar", ["*healthz*) exit 1 ;;"])).toMatch(
    /^the sidecar ts-sidecar is not connected to the tailnet\n/,
  );
});

test("an unhealthy sidecar is Postgres' fault where that cannot be reached, and its own else", async () => {
  const unhealthy = { Health: { Status: "unhealthy" } };
  expect(await upWith("sidecar", ["*db.tail.test*) echo refused ;;"], unhealthy)).toMatch(
    /^Postgres db\.tail\.test:5432 is not reachable: .*nothing listens/,
  );
  expect(await upWith("sidecar", ["*db.tail.test*) echo open ;;"], unhealthy)).toMatch(
    /^Docker calls the sidecar ts-sidecar unhealthy\n/,
  );
});

test("a Docker host that does not answer is named with its own words", async () => {
  const down = `*) echo "ssh: connect to host kvm port 22: Connection refused" >&2; exit 255 ;;`;
  expect(await upWith("stalwart", [down])).toMatch(
    /^docker --host unix:\/\/\/x does not answer: ssh: connect to host kvm port 22: Connection refused\n/,
  );
});

test("a Stalwart that does not greet is told with its last lines", async () => {
  const cases = [
    "*db.tail.test*) echo open ;;",
    "*/dev/tcp*) exit 1 ;;",
    `*" logs "*) echo "tailwart: gate: waiting" ;;`,
  ];
  expect(await upWith("stalwart", cases)).toMatch(
    /^Stalwart does not greet on 127\.0\.0\.1:25; its last lines:\ntailwart: gate: waiting\n.*logs --tail 50 st$/,
  );
});

/** A docker in whose sidecar every connection ends as it is said, but for those to S3. */
const storesWhere = (redis: string, more = {}) =>
  upWith("stores", ["*s3.tail.test*) echo open ;;", `*redis.tail.test*) echo ${redis} ;;`], {}, more);

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

test("a check is looked at again until it holds", async () => {
  const flag = join(folder, "asked");
  serve([`*db.tail.test*) [ -e ${flag} ] && echo open || { : >${flag}; echo refused; } ;;`]);
  expect(await up("postgres")).toMatch(/nothing listens/);
  rmSync(flag);
  expect(await up("postgres", 20_000)).toMatch(/reachable from/);
});
