import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { toolPath } from "../programs.ts";
import { run } from "../run.ts";
import { startDaemon, stopDaemon } from "../daemon.ts";
import { request } from "./request.ts";

export interface HeadscaleOptions {
  /** Keys, database, socket, log and pid file. */
  stateDir: string;
  /**
   * Where nodes reach it: an IPv4 literal that is private or loopback. With any other, tailscaled
   * also tries HTTPS on :443, and on a second try within two minutes nothing else (tailscale.com
   * control/controlhttp).
   */
  address: string;
  port: number;
  /** STUN's UDP port. Default: 3478 */
  stunPort?: number;
  /** Metrics and debug pages, on loopback only. Default: 9090 */
  metricsPort?: number;
  /** The network namespace that it runs in. Default: the caller's own */
  netns?: string;
  /** The MagicDNS base domain. Default: tail.test */
  domain?: string;
}

const NAME = "headscale";
/** How long a start may take until /health answers. Milliseconds. */
const START_TIME = 30_000;

/**
 * headscale's configuration: hermetic, with its own DERP relay over plain http and the policy in
 * its database.
 */
function headscaleConfig(options: HeadscaleOptions): object {
  const { stateDir, address, port, domain = "tail.test", stunPort = 3478, metricsPort = 9090 } = options;
  const file = (name: string) => join(stateDir, name);
  return {
    server_url: `http://${address}:${port}`,
    listen_addr: `0.0.0.0:${port}`,
    metrics_listen_addr: `127.0.0.1:${metricsPort}`,
    grpc_listen_addr: "127.0.0.1:0",
    noise: { private_key_path: file("noise.key") },
    // Sequential: a node that is registered anew gets another address, as in production (lesson 6).
    prefixes: { v4: "100.64.0.0/10", v6: "fd7a:115c:a1e0::/48", allocation: "sequential" },
    derp: {
      server: {
        enabled: true,
        region_id: 999,
        region_code: "lab",
        region_name: "lab",
        verify_clients: true,
        stun_listen_addr: `0.0.0.0:${stunPort}`,
        private_key_path: file("derp.key"),
        automatically_add_embedded_derp_region: true,
        ipv4: address,
      },
      urls: [],
      paths: [],
      auto_update_enabled: false,
    },
    disable_check_updates: true,
    // When an ephemeral node that is away is deleted; headscale wants more than 65 s.
    node: { ephemeral: { inactivity_timeout: "70s" } },
    database: { type: "sqlite", sqlite: { path: file("headscale.sqlite"), write_ahead_log: true } },
    log: { level: "info", format: "text" },
    policy: { mode: "database" },
    dns: {
      magic_dns: true,
      base_domain: domain,
      // Nodes ask their own servers for all that is not a node.
      override_local_dns: false,
      nameservers: { global: [] },
    },
    unix_socket: file("headscale.sock"),
    unix_socket_permission: "0700",
    logtail: { enabled: false },
  };
}

/** Starts headscale, or finds it running, and waits until it answers. */
export async function startHeadscale(options: HeadscaleOptions): Promise<void> {
  const { stateDir, netns, address, port } = options;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  // YAML is a superset of JSON.
  await writeFile(configFile(stateDir), JSON.stringify(headscaleConfig(options), null, 2), { mode: 0o600 });
  const command = [toolPath(NAME), "serve", "--config", configFile(stateDir)];
  const isHealthy = async () => {
    const url = `http://${address}:${port}/health`;
    const answer = await request(netns, { url, method: "GET" }).catch(() => undefined);
    return answer?.status === 200;
  };
  await startDaemon({ name: NAME, stateDir, netns, command }, isHealthy, START_TIME);
}

/** Stops headscale. Its state stays in its folder. */
export async function stopHeadscale(stateDir: string): Promise<void> {
  await stopDaemon({ name: NAME, stateDir });
}

/** Runs a headscale command against the running server, over its unix socket. */
export async function headscale(stateDir: string, ...args: string[]): Promise<string> {
  return (await run(toolPath(NAME), ["--config", configFile(stateDir), ...args])).stdout;
}

/** headscale's own API key, made once and kept in a file. */
export async function headscaleKeyFile(stateDir: string): Promise<string> {
  return keptKey(join(stateDir, "headscale-api.key"), async () => {
    const printed = await headscale(stateDir, "apikeys", "create", "--expiration", "8760h");
    return printed.trim().split(/\s+/).at(-1) ?? "";
  });
}

/** A file with a key, which is made where the file has none yet. */
export async function keptKey(file: string, make: () => Promise<string> | string): Promise<string> {
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept.trim() === "") await writeFile(file, `${await make()}\n`, { mode: 0o600 });
  return file;
}

/** Makes sure that headscale knows a user. */
export async function ensureUser(stateDir: string, name: string): Promise<void> {
  const users = JSON.parse(await headscale(stateDir, "users", "list", "--output", "json")) as
    { name?: string }[] | null;
  if (!users?.some((user) => user.name === name)) await headscale(stateDir, "users", "create", name);
}

function configFile(stateDir: string): string {
  return join(stateDir, "headscale.yaml");
}
