import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { CONTROL_ADDRESS, MACHINES, PREFIX_LENGTH, type Layout, type Machine } from "./topology.ts";
import { allPids } from "./processes.ts";
import { run, runInNetns } from "./run.ts";

const FOLDER = "/run/netns";

/** Ports that the VPS's provider drops on their way out (lesson 10). */
export const BLOCKED_SMTP_PORTS = [25, 465, 587, 2525];

/** The identity of a machine's network namespace, or undefined when there is none. */
export function namespaceOf(machine: Machine): string | undefined {
  const path = join(FOLDER, machine.netns);
  return isMounted(path) ? identityOf(path) : undefined;
}

/** The identity of the network namespace that a process is in, or undefined when it is gone. */
export function namespaceOfProcess(pid: number): string | undefined {
  return identityOf(`/proc/${pid}/ns/net`);
}

/** Every process inside the lab's network namespaces, whoever started it. */
export function processesIn(machines: readonly Machine[]): number[] {
  const inside = new Set(machines.map(namespaceOf).filter((each) => each !== undefined));
  return inside.size === 0 ? [] : allPids().filter((pid) => inside.has(namespaceOfProcess(pid) ?? ""));
}

/** Whether the lab's namespaces, links, addresses and firewall are all there. */
export function networkIsUp(layout: Layout): boolean {
  const now = identities(layout);
  return !now.includes(undefined) && readOptional(markerFile(layout)) === now.join("\n");
}

/**
 * Makes the lab's internet: one namespace a machine, each joined to a bridge inside NAME-net. No
 * link, address or rule is made in the caller's own namespace: a link is created inside NAME-net
 * with its other end inside the machine. There must be none of it yet.
 */
export async function createNetwork(layout: Layout): Promise<void> {
  const { net, ...joined } = layout.machines;
  mkdirSync(FOLDER, { recursive: true });
  // As `ip netns add` makes it, which would otherwise mount the folder over itself later, and hide
  // these namespaces.
  if ((await run("mount", ["--make-shared", FOLDER], { allowFailure: true })).code !== 0)
    await run("sh", ["-ec", 'mount --bind "$0" "$0"; mount --make-shared "$0"', FOLDER]);
  for (const machine of Object.values(layout.machines)) {
    writeFileSync(join(FOLDER, machine.netns), "");
    await run("unshare", [`--net=${join(FOLDER, machine.netns)}`, "true"]);
  }
  // The VPS has no IPv6 (lesson 9).
  await sysctl(layout.machines.kvm, { "ipv6/conf/all/disable_ipv6": 1, "ipv6/conf/default/disable_ipv6": 1 });
  // headscale has a node for connected as long as one of its connections stands, and one whose
  // namespace was killed ends no connection: by the kernel's default it stood for 975 s, and nobody
  // else got the node's name.
  await sysctl(net, { "ipv4/ip_forward": 1, "ipv4/tcp_retries2": 5 });
  // What leads nowhere is answered at once instead of being swallowed.
  await ip(net, [
    "link set lo up",
    "link add br0 type bridge forward_delay 0",
    `address add ${net.address}/${PREFIX_LENGTH} dev br0`,
    `address add ${CONTROL_ADDRESS}/32 dev br0`,
    "link set br0 up",
    "route add unreachable default",
    ...Object.values(joined).flatMap((machine) => [
      `link add ${machine.name} type veth peer name eth0 netns ${machine.netns}`,
      `link set ${machine.name} master br0 up`,
    ]),
  ]);
  for (const machine of Object.values(joined))
    await ip(machine, [
      "link set lo up",
      `address add ${machine.address}/${PREFIX_LENGTH} dev eth0`,
      "link set eth0 up",
      `route add default via ${net.address}`,
    ]);
  await blockSmtp(layout.boxes.kvm);
  writeFileSync(markerFile(layout), identities(layout).join("\n"));
}

/** Takes the network away. The machines must be off. */
export async function removeNetwork(layout: Layout): Promise<void> {
  rmSync(markerFile(layout), { force: true });
  // A namespace lives as long as some mount namespace on the machine has a copy of its mount: its
  // links must not live with it.
  if (namespaceOf(layout.machines.net))
    for (const link of [...MACHINES.filter((each) => each !== "net"), "br0"])
      await run("ip", ["-netns", layout.machines.net.netns, "link", "delete", link], { allowFailure: true });
  for (const machine of Object.values(layout.machines)) {
    const path = join(FOLDER, machine.netns);
    while (isMounted(path)) await run("umount", ["--lazy", path]);
    // Busy below a mount that hides it.
    await run("rm", ["--force", path], { allowFailure: true });
  }
}

/**
 * Drops outbound SMTP as a provider does: of the host itself and of its containers. The mangle
 * table, because it is the one place that sees both and in which Docker has no rules (in FORWARD it
 * puts its own in front).
 */
async function blockSmtp(machine: Machine): Promise<void> {
  const rules = BLOCKED_SMTP_PORTS.map((port) => `-A POSTROUTING -o eth0 -p tcp --dport ${port} -j DROP`);
  await runInNetns(machine.netns, ["iptables-restore", "--noflush"], {
    stdin: ["*mangle", ...rules, "COMMIT", ""].join("\n"),
  });
}

async function ip(machine: Machine, commands: string[]): Promise<void> {
  await run("ip", ["-netns", machine.netns, "-batch", "-"], { stdin: `${commands.join("\n")}\n` });
}

async function sysctl(machine: Machine, values: Record<string, number>): Promise<void> {
  const script = Object.entries(values).map(([key, value]) => `echo ${value} > /proc/sys/net/${key}`);
  await runInNetns(machine.netns, ["sh", "-ec", script.join("\n")]);
}

function identities(layout: Layout): (string | undefined)[] {
  return MACHINES.map((name) => namespaceOf(layout.machines[name]));
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** Whether a mount is to be seen there: one that another one hides cannot be taken away. */
function isMounted(path: string): boolean {
  return existsSync(path) && statSync(path).dev !== statSync(dirname(path)).dev;
}

function markerFile(layout: Layout): string {
  return join(layout.stateDir, "network");
}

/** A file's text, or undefined where it cannot be read. */
export function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
