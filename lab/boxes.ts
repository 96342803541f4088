import { mkdirSync, readdirSync, writeFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";

import { startDaemon, stopDaemon, waitForDaemon } from "./daemon.ts";
import type { Box, Layout } from "./layout.ts";
import { runIn } from "./machine.ts";
import { toolPath } from "./programs.ts";

/** What a start of a box's Docker did. */
export interface BoxStart {
  started: boolean;
  version: string;
}

const DOCKERD = "dockerd";

/**
 * Starts a box's own Docker daemon, or finds it running, and then runs what is in its boot directory. Its images, containers, bridge and
 * firewall rules are the box's alone.
 */
export async function startDocker(layout: Layout, box: Box): Promise<BoxStart> {
  mkdirSync(box.bootDir, { recursive: true, mode: 0o755 });
  const daemon = { machine: box, name: DOCKERD };
  const configFile = join(box.dir, "daemon.json");
  writeFileSync(configFile, JSON.stringify(dockerConfig(layout, box), null, 2));
  const started = await startDaemon(layout, {
    ...daemon,
    command: [toolPath("dockerd"), "--config-file", configFile],
  });
  await waitForDaemon(layout, daemon, () => ping(box));
  if (started) await runBootScripts(box);
  return { started, version: await version(box) };
}

/** Ends a box's Docker daemon. SIGKILL is what a crash looks like: the containers' processes are left behind until the next start. */
export async function stopDocker(box: Box, signalName: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
  // A daemon that ends by itself first stops its containers, each in its own grace period.
  await stopDaemon({ machine: box, name: DOCKERD }, { signalName, timeout: 120_000 });
}

/** What `systemctl restart docker` does on a real host; with SIGKILL, a crash and a new start. */
export async function restartDocker(
  layout: Layout,
  box: Box,
  signalName: "SIGTERM" | "SIGKILL" = "SIGTERM",
): Promise<void> {
  await stopDocker(box, signalName);
  await startDocker(layout, box);
}

/**
 * Runs each executable file of the boot directory, in the order of their names, inside the box and with DOCKER_HOST set: the part that
 * systemd units after docker.service play on a real host. A failing script is reported in the log and hinders no other.
 */
export async function runBootScripts(box: Box): Promise<void> {
  for (const name of readdirSync(box.bootDir).sort()) {
    const path = join(box.bootDir, name);
    if (!statSync(path).isFile()) continue;
    const command = ["env", `DOCKER_HOST=${box.dockerHost}`, ...interpreted(path)];
    const { code, stdout, stderr } = await runIn(box, command, { timeout: 120_000, allowFailure: true });
    const report = `${new Date().toISOString()} ${name} ended with ${code}\n${stdout}${stderr}`;
    writeFileSync(join(box.dir, "boot.log"), report, { flag: "a" });
  }
}

/** Whether the box's daemon answers. */
export async function ping(box: Box): Promise<boolean> {
  return (await call(box, "/_ping").catch(() => "")) === "OK";
}

/** dockerd's configuration (daemon.json). */
export function dockerConfig(layout: Layout, box: Box): object {
  return {
    "data-root": join(box.dir, "docker"),
    "exec-root": "/run/docker",
    pidfile: "/run/docker.pid",
    hosts: [box.dockerHost],
    bip: box.bip,
    // Away from every address in use in the lab.
    "default-address-pools": [{ base: box.addressPool, size: 24 }],
    "insecure-registries": [layout.registry],
    dns: [layout.dns],
    "storage-driver": "overlay2",
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    "cgroup-parent": box.cgroup,
  };
}

/**
 * Asks the box's Docker Engine API (GET).
 *
 * @example await docker(layout.boxes.kvm, "/containers/json?all=true")
 */
export async function docker(box: Box, path: string): Promise<unknown> {
  return JSON.parse(await call(box, path));
}

async function version(box: Box): Promise<string> {
  return ((await docker(box, "/version")) as { Version: string }).Version;
}

function call(box: Box, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: box.socket, path, timeout: 5_000 }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (text: string) => (body += text));
      answer.once("end", () => resolve(body)).once("error", reject);
    });
    const late = () => asked.destroy(new Error(`${box.name}: dockerd took more than 5 s to answer ${path}`));
    asked.once("timeout", late).once("error", reject).end();
  });
}

/** A script without its executable bit (an upload may lose it) is run by sh. */
function interpreted(path: string): string[] {
  return (statSync(path).mode & 0o111) !== 0 ? [path] : ["sh", path];
}
