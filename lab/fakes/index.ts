import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { ACME } from "../acme.ts";
import { issue, labCa } from "../ca.ts";
import { startDaemon, stopDaemon } from "../daemon.ts";
import { runIn } from "../machine.ts";
import { isOpen } from "../run.ts";
import { ADDRESSES, FAKE_ADDRESSES, type Layout } from "../topology.ts";
import type { Issuance } from "./certspotter.ts";
import type { ApiKey } from "./spaceship.ts";

/** Where the fakes are on the lab's internet; the DNS has their names. */
export const FAKES = {
  spaceship: { host: "spaceship.dev", address: FAKE_ADDRESSES.spaceship, port: 443 },
  certspotter: { host: "api.certspotter.com", address: FAKE_ADDRESSES.certspotter, port: 443 },
  /** At pebble's own name, beside it. */
  "ca-budget": { host: ACME.host, address: ADDRESSES.net, port: 14001 },
} as const;

export type FakeName = keyof typeof FAKES;

/** The ACME directory behind the budget. */
export const RATIONED_DIRECTORY = `https://${ACME.host}:${FAKES["ca-budget"].port}/dir`;
/** The CA's name in CAA records. */
export const CAA_IDENTITY = "lab-ca.test";

/** The fake Spaceship, with the keys of one account. */
export const startSpaceship = (layout: Layout, keys: readonly ApiKey[]): Promise<void> =>
  start(layout, "spaceship", { keys, domains: [layout.mailDomain] });

/** The fake budget in front of pebble: every bucket is full. */
export async function startCaBudget(layout: Layout): Promise<void> {
  await stopFake(layout, "ca-budget");
  rmSync(issuancesFile(layout), { force: true });
  await start(layout, "ca-budget", {
    upstream: { host: layout.machines.net.address, port: 14000 },
    ca: await labCa(layout),
    dns: layout.dns,
    identity: CAA_IDENTITY,
    issuances: issuancesFile(layout),
  });
}

/** The fake certspotter, which knows what has been issued through the budget. */
export const startCertspotter = (layout: Layout): Promise<void> =>
  start(layout, "certspotter", { issuances: issuancesFile(layout) });

/** What is left of the CA's budgets. */
export async function budgetLeft(
  layout: Layout,
): Promise<Record<"failed" | "set" | "orders", Record<string, number>>> {
  const { host, port } = FAKES["ca-budget"];
  return (await ask(layout, `https://${host}:${port}/fake/left`)) as Awaited<ReturnType<typeof budgetLeft>>;
}

/** What certspotter tells of a domain and the names below it. */
export async function issuances(layout: Layout, domain: string): Promise<Issuance[]> {
  const query = `domain=${domain}&include_subdomains=true&expand=dns_names&expand=issuer`;
  return (await ask(layout, `https://${FAKES.certspotter.host}/v1/issuances?${query}`)) as Issuance[];
}

/** Ends a fake; nothing happens when it does not run. */
export async function stopFake(layout: Layout, name: FakeName): Promise<void> {
  await stopDaemon({ machine: layout.machines.net, name: daemonName(name) });
}

async function start(layout: Layout, name: FakeName, config: object): Promise<void> {
  const { host, address, port } = FAKES[name];
  const machine = layout.machines.net;
  await stopFake(layout, name);
  const folder = join(machine.dir, daemonName(name));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await issue(layout, host, folder);
  // Addresses of their own, since both are asked on :443 by name.
  if (address !== machine.address)
    await runIn(machine, ["ip", "address", "replace", `${address}/32`, "dev", "br0"]);
  const file = join(folder, "config.json");
  const text = JSON.stringify({ host: address, port, certificate: folder, ...config });
  writeFileSync(file, text, { mode: 0o600 });
  const command = [process.execPath, join(import.meta.dirname, `${name}-main.ts`), file];
  const daemon = { machine, name: daemonName(name), command };
  await startDaemon(daemon, () => isOpen(machine.netns, address, port));
}

async function ask(layout: Layout, url: string): Promise<unknown> {
  const command = ["curl", "-sS", "--fail-with-body", "--cacert", await labCa(layout), url];
  return JSON.parse((await runIn(layout.machines.net, command)).stdout);
}

const daemonName = (name: FakeName) => `fake-${name}`;
const issuancesFile = (layout: Layout) => join(layout.machines.net.dir, "issuances.jsonl");
