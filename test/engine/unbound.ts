import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { requireProgram } from "./toolchain.ts";

/** A real DNS server on loopback, on a free port. */
export interface Unbound {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  stop(): Promise<void>;
}

/** A port on which nothing listens. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/**
 * Starts unbound as the authority for a zone.
 *
 * @param records in zone file form, such as `dual.example.test. IN AAAA 2001:db8::25`; the first
 *   one must have an A record
 */
export async function startUnbound(zone: string, records: readonly string[]): Promise<Unbound> {
  const unbound = requireProgram("unbound", "apt-get install unbound");
  const dir = mkdtempSync(join(tmpdir(), "tailwart-unbound-"));
  const port = await freeUdpPort();
  const lines = [
    "server:",
    `  interface: 127.0.0.1@${port}`,
    `  directory: "${dir}"`,
    ...[
      'chroot: ""',
      'username: ""',
      'pidfile: ""',
      "use-syslog: no",
      "do-daemonize: no",
      "do-ip6: no",
      'module-config: "iterator"',
    ].map((line) => `  ${line}`),
    "  do-not-query-localhost: yes",
    `  local-zone: "${zone}" static`,
    ...records.map((record) => `  local-data: "${record}"`),
    "remote-control:",
    "  control-enable: no",
  ];
  writeFileSync(join(dir, "unbound.conf"), `${lines.join("\n")}\n`);
  const child = spawn(unbound, ["-d", "-c", join(dir, "unbound.conf")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const address = `127.0.0.1:${port}`;
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([address]);
  const name = records[0]?.split(/\s/)[0] ?? zone;
  for (let attempt = 0; ; attempt++) {
    try {
      await resolver.resolve4(name);
      break;
    } catch {
      if (child.exitCode !== null || attempt === 50)
        throw new Error(`unbound does not answer on ${address}:\n${complaints}`);
      await sleep(100);
    }
  }
  return {
    address,
    async stop() {
      child.kill();
      if (child.exitCode === null) await once(child, "exit");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
