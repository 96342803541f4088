import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { startDaemon } from "./daemon.ts";
import type { Layout, MachineName } from "./topology.ts";
import { INSIDE, runIn } from "./machine.ts";
import { toolPath } from "./programs.ts";
import { until } from "./run.ts";
import { createKey, type TailnetEndpoints } from "./tailnet/index.ts";

/** A machine of the lab's world that is on the tailnet by a tailscaled of its own. */
export interface Node {
  machine: MachineName;
  hostname: string;
  tag: string;
  /** Whether the machine resolves MagicDNS names. */
  acceptDns: boolean;
}

export const NODES: readonly Node[] = [
  { machine: "edge", hostname: "edge", tag: "tag:reverse-proxy", acceptDns: true },
  { machine: "edge2", hostname: "edge2", tag: "tag:reverse-proxy", acceptDns: true },
  { machine: "db", hostname: "the-record-prod", tag: "tag:db", acceptDns: false },
  { machine: "mail", hostname: "mailbox", tag: "tag:mail", acceptDns: false },
];

const SOCKET = "/run/tailscale/tailscaled.sock";
const STATE = `${INSIDE}/tailscale`;

/**
 * Joins a machine to the tailnet, or finds it joined. Its node key is kept, so it has the same
 * address after a restart.
 */
export async function joinTailnet(layout: Layout, node: Node, endpoints: TailnetEndpoints): Promise<boolean> {
  if (!existsSync("/dev/net/tun"))
    throw new UserError("this machine has no /dev/net/tun, which tailscaled needs", {
      hint: "run: modprobe tun",
    });
  const machine = layout.machines[node.machine];
  const folder = join(machine.dir, "tailscale");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const daemon = {
    machine,
    name: "tailscaled",
    command: [toolPath("tailscaled"), `--statedir=${STATE}`, `--socket=${SOCKET}`, "--tun=tailscale0"],
    env: endpoints.nodeEnvironment,
  };
  const settled = ["Running", "NeedsLogin", "Stopped"];
  const started = await startDaemon(daemon, async () => settled.includes(await backendState(layout, node)));
  if ((await backendState(layout, node)) !== "Running") {
    const keyFile = join(folder, "authkey");
    writeFileSync(keyFile, await createKey(layout.tailnet, [node.tag]), { mode: 0o600 });
    const flags = [
      `--login-server=${endpoints.loginServer}`,
      `--auth-key=file:${STATE}/authkey`,
      `--hostname=${node.hostname}`,
      `--accept-dns=${node.acceptDns}`,
      "--reset",
      "--timeout=45s",
    ];
    await runIn(machine, [...tailscale(), "up", ...flags]);
    rmSync(keyFile);
  }
  const running = async () => (await backendState(layout, node)) === "Running";
  await until(`${node.machine} is on the tailnet`, running, 20_000);
  return started;
}

/** A node's IPv4 address on the tailnet. */
export async function tailnetAddress(layout: Layout, machine: MachineName): Promise<string> {
  return (await runIn(layout.machines[machine], [...tailscale(), "ip", "-4"])).stdout.trim();
}

/** The tailscale command for a machine's own tailscaled. */
export function tailscale(): string[] {
  return [toolPath("tailscale"), `--socket=${SOCKET}`];
}

async function backendState(layout: Layout, node: Node): Promise<string> {
  const command = [...tailscale(), "status", "--json", "--peers=false"];
  const { stdout } = await runIn(layout.machines[node.machine], command, { allowFailure: true });
  return stdout.startsWith("{") ? (JSON.parse(stdout) as { BackendState: string }).BackendState : "";
}
