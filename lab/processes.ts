import { readdirSync, readFileSync } from "node:fs";

/** A process, and not another one that was given the same number later. */
export interface ProcessId {
  pid: number;
  /** Clock ticks since boot. */
  startTime: string;
}

/** The process with this number, or undefined when there is none or it is a zombie. */
export function processOf(pid: number): ProcessId | undefined {
  const fields = statOf(pid);
  return fields && fields.state !== "Z" ? { pid, startTime: fields.startTime } : undefined;
}

/** Whether that very process runs. */
export function isAlive(id: ProcessId): boolean {
  return processOf(id.pid)?.startTime === id.startTime;
}

/** Sends a signal to that very process; false when it is gone. */
export function signal(id: ProcessId, name: NodeJS.Signals): boolean {
  return isAlive(id) && sendSignal(id.pid, name);
}

/** Sends a signal to a number, or to a group by its negative; false when there is none of it. */
export function sendSignal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** All processes of the machine. */
export function allPids(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** A process's arguments, the program first; none when it is gone or a zombie. */
export function commandLine(pid: number): string[] {
  return stringsOf(pid, "cmdline");
}

/** A process's environment as it was started with; none when it is gone or another user's. */
export function environmentOf(pid: number): string[] {
  return stringsOf(pid, "environ");
}

function stringsOf(pid: number, file: "cmdline" | "environ"): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

/** The process that started this one, and those above it, the nearest first. */
export function ancestorsOf(pid: number): number[] {
  const parent = statOf(pid)?.parent ?? 0;
  return parent === 0 ? [] : [parent, ...ancestorsOf(parent)];
}

export function childrenOf(parent: number): number[] {
  return allPids().filter((pid) => statOf(pid)?.parent === parent);
}

/** How many seconds a process has run. */
export function ageOf(id: ProcessId): number {
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  // USER_HZ is 100 on every architecture that Debian has.
  return uptime - Number(id.startTime) / 100;
}

function statOf(pid: number): { state: string; parent: number; startTime: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name stands in brackets and may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", parent: Number(fields[1]), startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}
