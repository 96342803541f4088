import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { cgroupsAt } from "../../lab/cgroups.ts";
import { runIn } from "../../lab/machine.ts";
import { POSTGRES, sql } from "../../lab/postgres.ts";
import { run } from "../../lab/run.ts";
import { container, docker, eventually, greets, layout } from "./lab.ts";

const ROLES = ["anchor", "sidecar", "stalwart"] as const;
type Role = (typeof ROLES)[number];

/** Fifty rounds in `npm run test:full`; two show it. */
const ROUNDS = process.env["TAILWART_FULL"] ? 50 : 2;
/** From the last blow to a greeting through the edge. Seconds. */
const LIMIT = 30;

/**
 * Takes more memory than a cgroup has left. Those that were there before go first: each of the
 * newcomers is small, and the kernel takes the largest by its size and its score.
 */
const OUT_OF_MEMORY = `
cd "$0"
before=$(cat cgroup.procs)
for pid in $before; do echo 1000 > /proc/$pid/oom_score_adj; done
limit=memory.max usage=memory.current all=max
[ -e $limit ] || limit=memory.limit_in_bytes usage=memory.usage_in_bytes all=-1
echo $(($(cat $usage) + 4194304)) > $limit
for n in 1 2 3 4 5 6 7 8; do
  { echo $BASHPID > cgroup.procs; { head -c 1M /dev/zero; sleep 1; } | tail -c 1M >/dev/null; } &
done
for n in $(seq 40); do kill -0 $before 2>/dev/null || break; sleep 0.05; done
# The container's next start may find the same cgroup: nobody has limited that one.
echo $all > $limit`;

const inspect = (role: Role, what: string) =>
  docker("kvm", "inspect", "--format", `{{${what}}}`, container(role)).trim();

/**
 * What befalls a container; true when it has. `docker kill` is not among it: Docker takes that for
 * a stop by hand.
 */
const BLOWS: Record<string, (role: Role) => Promise<boolean>> = {
  async restarted(role) {
    const args = ["--host", layout.boxes.kvm.dockerHost, "restart", "--time", "5", container(role)];
    return (await run("docker", args, { allowFailure: true })).code === 0;
  },
  async killed(role) {
    const pid = inspect(role, ".State.Pid");
    if (pid === "0") return false;
    return (await runIn(layout.machines.kvm, ["kill", "-KILL", pid], { allowFailure: true })).code === 0;
  },
  async "out of memory"(role) {
    const folders = cgroupsAt(join(layout.boxes.kvm.cgroup, inspect(role, ".Id")));
    const isMemory = (folder: string) =>
      ["memory.max", "memory.limit_in_bytes"].some((file) => existsSync(join(folder, file)));
    const folder = folders.find(isMemory);
    if (folder === undefined || inspect(role, ".State.Pid") === "0") return false;
    await run("bash", ["-c", OUT_OF_MEMORY, folder], { allowFailure: true });
    return true;
  },
};

const anyOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;
const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((each) => ({ each, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);

/** Some of the containers in any order, and what befalls each. */
const anyBlows = (): [Role, string][] =>
  shuffled(ROLES)
    .slice(0, 1 + Math.floor(Math.random() * ROLES.length))
    .map((role) => [role, anyOf(Object.keys(BLOWS))]);

const startOf = (role: Role) => inspect(role, ".State.StartedAt");

/**
 * Strikes, at once or one after the other. Then those that were struck have been started anew, and
 * mail is back; what was done, and the seconds that it took.
 */
async function strike(blows: [Role, string][]): Promise<{ story: string; seconds: number }> {
  const struck: (() => boolean)[] = [];
  const done: string[] = [];
  for (const [role, how] of blows) {
    await sleep(anyOf([0, 0, 500, 2000, 4000]));
    const before = startOf(role);
    const hit = await BLOWS[how]?.(role);
    // Who is down already cannot be struck, but must come back all the same.
    struck.push(() => (hit ? startOf(role) !== before : inspect(role, ".State.Running") === "true"));
    done.push(`${role} ${hit ? how : "down already"}`);
  }
  const story = done.join(", ");
  const isBack = () => struck.every((each) => each()) && greets();
  return { story, seconds: await eventually(`a greeting through the edge after: ${story}`, 90, isBack) };
}

describe("whoever is restarted, killed or out of memory on the KVM", () => {
  test(
    `${ROUNDS} times, mail is back by itself within ${LIMIT} s`,
    async () => {
      const took: number[] = [];
      for (let round = 1; round <= ROUNDS; round++) {
        const blows: [Role, string][] = round === 1 ? [["anchor", "restarted"]] : anyBlows();
        const { story, seconds } = await strike(blows);
        console.log(`round ${round}: ${story}: mail after ${seconds.toFixed(1)} s`);
        took.push(seconds);
        // Docker starts its growing pause between restarts over after 10 s.
        await sleep(11_000);
      }
      const sorted = took.toSorted((a, b) => a - b);
      const [median = 0, longest = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
      console.log(`${ROUNDS} rounds: median ${median.toFixed(1)} s, longest ${longest.toFixed(1)} s`);
      expect(longest).toBeLessThanOrEqual(LIMIT);
    },
    ROUNDS * 120_000,
  );

  test("leaves no connection at Postgres: what a dead namespace held is given up (lesson 20)", async () => {
    const held = async () => {
      const count = `SELECT count(*) FROM pg_stat_activity WHERE usename = '${POSTGRES.user}'`;
      return Number(await sql(layout, count));
    };
    expect(await held()).toBeGreaterThan(0);
    await eventually("no more connections than one server's pool", 60, async () => (await held()) <= 10);
  });
});
