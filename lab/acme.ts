import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { issue, labCa } from "./ca.ts";
import { daemonProcess, startDaemon } from "./daemon.ts";
import type { Layout } from "./topology.ts";
import { runIn } from "./machine.ts";
import { toolPath } from "./programs.ts";
import { isOpen } from "./run.ts";

/** The lab's ACME server; the DNS has its name. */
export const ACME = { host: "acme.lab-ca.test", directory: "https://acme.lab-ca.test:14000/dir" };

const MANAGEMENT = `https://${ACME.host}:15000`;

/**
 * As a public CA: it refuses no good nonce, waits for nothing, and has each order prove its names
 * anew.
 */
const BEHAVIOUR = { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0", PEBBLE_AUTHZREUSE: "0" };

/**
 * Starts the lab internet's ACME server (pebble), or finds it running. It proves names by the lab's
 * DNS. Its issuing CA is in memory alone: a new start has a new one.
 */
export async function startAcme(layout: Layout): Promise<boolean> {
  const machine = layout.machines.net;
  const daemon = { machine, name: "acme" };
  const folder = join(machine.dir, "acme");
  if (!daemonProcess(daemon)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await issue(layout, ACME.host, folder);
  }
  const config = {
    listenAddress: `${machine.address}:14000`,
    managementListenAddress: `${machine.address}:15000`,
    certificate: join(folder, "cert.pem"),
    privateKey: join(folder, "key.pem"),
    httpPort: 80,
    tlsPort: 443,
  };
  const configFile = join(folder, "pebble.json");
  writeFileSync(configFile, JSON.stringify({ pebble: config }, null, 2));
  const command = [toolPath("pebble"), "-config", configFile, "-dnsserver", `${layout.dns}:53`];
  const answers = () => isOpen(machine.netns, machine.address, 15000);
  return startDaemon({ ...daemon, command, env: BEHAVIOUR }, answers);
}

/** The root, in PEM, of the certificates that the ACME server issues. */
export async function issuingRoot(layout: Layout): Promise<string> {
  const ask = ["curl", "-sS", "--fail", "--cacert", await labCa(layout), `${MANAGEMENT}/roots/0`];
  return (await runIn(layout.machines.net, ask)).stdout;
}
