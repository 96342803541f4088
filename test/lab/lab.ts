import { execFileSync } from "node:child_process";

import { openRunningLab, type Lab } from "../../cli/parts/open-lab.ts";
import { type Overrides, stackFlags, writeStackConfig } from "../../cli/parts/lab-config.ts";
import { type ContainerRole, containerOf, serverPidIn } from "../../cli/parts/containers.ts";
import { type PulumiRun, pulumi } from "../../cli/parts/pulumi-cli.ts";
import type { BoxName } from "../../lab/topology.ts";
import { LAB } from "./setup.ts";

/** The running lab, opened once for a test file. */
export const lab: Lab = await openRunningLab(LAB);
export const { layout, stack, facts } = lab;

/** Name of one of the stack's containers on its host. */
export const container = (role: ContainerRole) => containerOf(LAB, role);

/** Runs the docker CLI on one of the lab's hosts and returns what it printed, both streams. */
export function docker(box: BoxName, ...args: string[]): string {
  const host = layout.boxes[box].dockerHost;
  return execFileSync("sh", ["-c", 'exec docker "$@" 2>&1', "docker", "--host", host, ...args], {
    encoding: "utf8",
    timeout: 120_000,
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** `pulumi up` on the lab's stack after a change of its config. */
export async function up(overrides: Overrides = {}, ...args: string[]): Promise<PulumiRun> {
  await writeStackConfig(stack, facts, overrides);
  return pulumi(stack, ["up", "--yes", "--skip-preview", ...stackFlags(stack), ...args], { timeout: 280 });
}

/** What a run printed, for matching and for the message when it does not. */
export const said = (run: PulumiRun) => `${run.stdout}\n${run.stderr}`;

/** Asks until it holds. @throws Error after the deadline, in seconds */
export async function eventually(
  what: string,
  seconds: number,
  ask: () => Promise<boolean> | boolean,
): Promise<number> {
  const start = Date.now();
  for (;;) {
    // What cannot be asked yet, such as a container that is starting, does not hold yet.
    const holds = await (async () => ask())().catch(() => false);
    if (holds) return (Date.now() - start) / 1000;
    if (Date.now() - start > seconds * 1000) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Stalwart's own process. */
export function serverPid(): string | undefined {
  return serverPidIn(docker("kvm", "top", container("stalwart"), "-o", "pid,args"));
}

/** The sidecar's address on the tailnet. */
export function tailnetAddress(): string {
  return docker("kvm", "exec", container("sidecar"), "tailscale", "ip", "-4").trim();
}

/** Whether somebody outside gets Stalwart's greeting through the edge. */
export function greets(): boolean {
  const line = `{ sleep 3; echo QUIT; } | nc -w 5 ${facts.wanAddress} 25 | head -n 1`;
  const netns = layout.machines.outside.netns;
  const args = [`--net=/run/netns/${netns}`, "sh", "-c", line];
  return execFileSync("nsenter", args, { encoding: "utf8", timeout: 15_000 }).startsWith("220");
}
