import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { startDetached } from "./detached.ts";
import { diskEnvironment, OWN_DISK } from "./disk.ts";
import type { Layout, Machine } from "./topology.ts";
import { namespaceOf, namespaceOfProcess, readOptional } from "./namespaces.ts";
import { isAlive, processOf, signal, type ProcessId } from "./processes.ts";
import { inNetns, run, SYSTEM_ENV, until, type RunOptions, type RunResult } from "./run.ts";

/** Where a machine's own state folder is seen from inside it. */
export const INSIDE = "/run/machine";

/**
 * What makes a machine out of a network namespace: own mounts, host name and process ids, held by
 * one process. When that process ends, the kernel ends all others of the machine, containers
 * included, and its mounts are gone.
 */
const BEGIN = `
set -eu
# In the old /proc this is the number that the outer world knows.
read -r pid _ < /proc/self/stat
mount --make-rprivate /
# A copied mount would keep other namespaces alive after their end. The newest first: \`ip netns add\`
# mounts the folder over itself, and hides what was mounted there before.
tac /proc/self/mountinfo | while read -r _ _ _ _ mountpoint _; do
  # Another lab's may be gone by now.
  case $mountpoint in /run/netns | /run/netns/*) umount --lazy "$mountpoint" 2>/dev/null || : ;; esac
done
`;

/**
 * A machine that shares the caller's files. /etc and /run are its own, so that nothing written
 * there (resolv.conf by tailscaled, postgresql's sockets) reaches the real ones.
 */
const SHARED_DISK = `
mount -t tmpfs -o mode=755 tailwart /run
mkdir -p /run/lock "$INSIDE"
# Services that do not run as root cannot look into the caller's home folder.
mount --bind "$DIR" "$INSIDE"
mkdir -p "$DIR/etc"
mount -t tmpfs -o mode=755 tailwart "$DIR/etc"
mkdir "$DIR/etc/upper" "$DIR/etc/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$DIR/etc/upper,workdir=$DIR/etc/work" tailwart /etc
mount -t proc proc /proc
`;

const END = `
hostname "$HOST"
# Through a symlink (systemd-resolved) it would be a file below /run.
rm -f /etc/resolv.conf
echo "nameserver $DNS" > /etc/resolv.conf
printf '127.0.0.1 localhost\\n%s %s\\n' "$ADDRESS" "$HOST" > /etc/hosts
ip link set lo up
echo "$pid" > "$DIR/holder.new"
mv "$DIR/holder.new" "$DIR/holder"
exec tini -- sleep infinity
`;

/**
 * Starts a machine, or finds it running. Its network namespace must be there. Returns whether it
 * had to be started.
 */
export async function startMachine(layout: Layout, machine: Machine): Promise<boolean> {
  if (holderOf(machine)) return false;
  mkdirSync(machine.dir, { recursive: true, mode: 0o755 });
  mkdirSync(layout.logDir, { recursive: true });
  rmSync(holderFile(machine), { force: true });
  const log = openSync(join(layout.logDir, `${machine.name}.log`), "a");
  // The caller's files would be at the mercy of whoever comes in by ssh.
  const disk = machine.ownDisk ? await diskEnvironment(layout, machine) : {};
  const setup = [BEGIN, machine.ownDisk ? OWN_DISK : SHARED_DISK, END].join("");
  const unshare = "unshare --mount --uts --pid --fork --kill-child".split(" ");
  const env = {
    ...SYSTEM_ENV,
    ...disk,
    INSIDE,
    DIR: machine.dir,
    HOST: machine.name,
    DNS: layout.dns,
    ADDRESS: machine.address,
  };
  await startDetached(inNetns(machine.netns, [...unshare, "bash", "-c", setup]), env, log);
  await until(`${machine.netns}: the machine is up`, () => existsSync(holderFile(machine)), 10_000, {
    every: 10,
    detail: () => readFileSync(join(layout.logDir, `${machine.name}.log`), "utf8").slice(-1000),
  });
  return true;
}

/** The process that holds the machine, or undefined when the machine is down. */
export function holderOf(machine: Machine): ProcessId | undefined {
  const text = readOptional(holderFile(machine));
  if (text === undefined) return undefined;
  const pid = Number(text);
  const found = processOf(pid);
  // The number may belong to somebody else by now: the holder is in the machine's namespace.
  const namespace = namespaceOf(machine);
  return namespace && namespaceOfProcess(pid) === namespace ? found : undefined;
}

/** Pulls the plug: all processes of the machine are killed. */
export async function stopMachine(machine: Machine): Promise<void> {
  const holder = holderOf(machine);
  if (!holder) return;
  signal(holder, "SIGKILL");
  await until(`${machine.netns}: the machine is off`, () => !isAlive(holder), 10_000, { every: 10 });
}

/**
 * The command line that runs a program inside a machine: with its network, files and process ids.
 *
 * @throws Error when the machine is down
 */
export function inMachine(machine: Machine, command: readonly string[]): [string, ...string[]] {
  const holder = holderOf(machine);
  if (!holder) throw new Error(`${machine.netns} is down; run: npm run lab -- up`);
  return ["nsenter", `--target=${holder.pid}`, ...NAMESPACES, "--", ...command];
}

/** Runs a program inside a machine to its end. */
export function runIn(
  machine: Machine,
  command: readonly string[],
  options?: RunOptions,
): Promise<RunResult> {
  const [program, ...args] = inMachine(machine, command);
  return run(program, args, options);
}

/** Whether a program that is run inside a machine ends with 0. */
export async function succeeds(machine: Machine, command: readonly string[]): Promise<boolean> {
  return (await runIn(machine, command, { allowFailure: true })).code === 0;
}

const NAMESPACES = ["--net", "--mount", "--uts", "--pid", "--root", "--wd"];

function holderFile(machine: Machine): string {
  return join(machine.dir, "holder");
}
