import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";

import { cgroupsAt } from "../../lab/cgroups.ts";
import type { Layout } from "../../lab/topology.ts";
import { processesIn } from "../../lab/namespaces.ts";
import { allPids, commandLine, processOf, type ProcessId } from "../../lab/processes.ts";

const run = promisify(execFile);

/**
 * What of the machine's own network must be the same before and after. Counters and times are left
 * out.
 */
export async function ownNetwork(): Promise<string> {
  const commands = [
    ["ip", "-o", "link"],
    ["ip", "-o", "address"],
    ["ip", "rule"],
    ["ip", "route", "show", "table", "all"],
    ["iptables-save"],
    ["ip6tables-save"],
    ["sysctl", "net.ipv4.ip_forward", "net.ipv6.conf.all.disable_ipv6"],
  ];
  const said: string[] = [];
  for (const [program = "", ...args] of commands) said.push((await run(program, args)).stdout);
  return said
    .join("\n")
    .replace(/^#.*$/gm, "")
    .replace(/\[\d+:\d+\]/g, "")
    .replace(/ (?:valid|preferred)_lft \d+sec/g, "");
}

/**
 * The lab's processes, those in its containers and the engine with its plugins included: what is in
 * its namespaces, in its cgroups, or named after its state. To be asked before `down`, since the
 * namespaces are gone afterwards.
 */
export function labProcesses(layout: Layout): ProcessId[] {
  const inCgroup = allPids().filter((pid) =>
    read(`/proc/${pid}/cgroup`).includes(`/tailwart-${layout.name}-`),
  );
  const inside = processesIn(Object.values(layout.machines));
  const pids = new Set([...inside, ...inCgroup, ...allPids().filter((pid) => names(pid, layout))]);
  return [...pids].map(processOf).filter((each) => each !== undefined);
}

/** Everything that is left of the lab on the machine, in words. */
export function remains(layout: Layout): string[] {
  const netns = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  const inside = (text: string) => text.includes(`${layout.stateDir}/`) || text.endsWith(layout.stateDir);
  const mounted = (line: string) =>
    line.split(" ").some((field) => inside(field) || field.startsWith(`/run/netns/${layout.name}-`));
  return [
    ...netns.filter((name) => name.startsWith(`${layout.name}-`)).map((name) => `namespace ${name}`),
    ...(existsSync(layout.stateDir) ? [`folder ${layout.stateDir}`] : []),
    ...Object.values(layout.boxes)
      .flatMap((box) => cgroupsAt(box.cgroup))
      .map((path) => `cgroup ${path}`),
    ...read("/proc/self/mountinfo").split("\n").filter(mounted),
    ...allPids()
      .filter((pid) => names(pid, layout))
      .map((pid) => `process ${pid}: ${commandLine(pid).join(" ")}`),
  ];
}

/** Whether a process's arguments or working directory lie in the lab's state. */
function names(pid: number, { stateDir }: Layout): boolean {
  return (
    commandLine(pid).some((argument) => argument.includes(`${stateDir}/`)) || workingDirectory(pid, stateDir)
  );
}

function workingDirectory(pid: number, stateDir: string): boolean {
  try {
    return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${stateDir}/`);
  } catch {
    return false;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
