import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";

import { startDaemon, stopDaemon } from "./daemon.ts";
import type { Box, Layout } from "./topology.ts";
import { runIn } from "./machine.ts";

const DOCKERD = "dockerd";
const SYSTEMCTL = join(import.meta.dirname, "fake-systemctl.sh");

/**
 * Starts a box's own Docker daemon, or finds it running, and then the units that want to be started
 * with it. Its images, containers, bridge and firewall rules are the box's alone.
 */
export async function startDocker(layout: Layout, box: Box): Promise<{ started: boolean; version: string }> {
  const configFile = join(box.dir, "daemon.json");
  writeFileSync(configFile, JSON.stringify(dockerConfig(layout, box), null, 2));
  const command = ["dockerd", "--config-file", configFile];
  const started = await startDaemon({ machine: box, name: DOCKERD, command }, () => ping(box));
  if (started) await startUnits(box);
  const { Version } = (await docker(box, "/version")) as { Version: string };
  return { started, version: Version };
}

/**
 * What `systemctl restart docker` does on a real host; with SIGKILL, a crash and a new start: the
 * containers' processes are left behind until then.
 */
export async function restartDocker(
  layout: Layout,
  box: Box,
  signalName: "SIGTERM" | "SIGKILL" = "SIGTERM",
): Promise<void> {
  // A daemon that ends by itself first stops its containers, each in its own grace period.
  await stopDaemon({ machine: box, name: DOCKERD }, { signalName, timeout: 120_000 });
  await startDocker(layout, box);
}

/**
 * What systemd does each time that docker.service has come up: starts the units that are enabled
 * for it. One that fails is told of in the log and hinders no other.
 */
async function startUnits(box: Box): Promise<void> {
  const install = "cat > /usr/local/sbin/systemctl && chmod 0755 /usr/local/sbin/systemctl";
  await runIn(box, ["sh", "-c", install], { stdin: readFileSync(SYSTEMCTL, "utf8") });
  const line = "cd /etc/systemd/system/docker.service.wants && for unit in *; do systemctl start $unit; done";
  await runIn(box, ["sh", "-c", line], { timeout: 120_000, allowFailure: true });
}

/** Whether the box's daemon answers. */
export async function ping(box: Box): Promise<boolean> {
  return (await call(box, "/_ping").catch(() => "")) === "OK";
}

/** dockerd's configuration (daemon.json). */
function dockerConfig(layout: Layout, box: Box): object {
  return {
    "data-root": join(box.dir, "docker"),
    "exec-root": "/run/docker",
    pidfile: "/run/docker.pid",
    hosts: ["unix:///run/docker.sock", box.dockerHost],
    bip: box.bip,
    // Away from every address in use in the lab.
    "default-address-pools": [{ base: box.addressPool, size: 24 }],
    "insecure-registries": [layout.registry, layout.loginRegistry],
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
