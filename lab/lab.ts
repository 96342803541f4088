import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startAcme } from "./acme.ts";
import { startDocker } from "./docker-hosts.ts";
import { removeCgroups } from "./cgroups.ts";
import { startDns } from "./dns.ts";
import type { GivenImage } from "./images/given.ts";
import { IMAGE_NAMES } from "./images/images.ts";
import { chooseImages, notedImages, type NotedImages, noteImages, remarks } from "./images/noted.ts";
import { releaseOnDisk } from "./disk.ts";
import { hostRoot } from "./host-root.ts";
import { BOXES, layoutOf, type Box, type Layout, requireLabMachine } from "./topology.ts";
import { withLock } from "./lock.ts";
import { startMachine, stopMachine } from "./machine.ts";
import { createNetwork, networkIsUp, processesIn, removeNetwork } from "./namespaces.ts";
import { joinTailnet, NODES } from "./tailnet-nodes.ts";
import { knowHosts, prepareOperator } from "./operator.ts";
import { startPostgres } from "./postgres.ts";
import { sendSignal } from "./processes.ts";
import { pushImages, startRegistry } from "./image-registry.ts";
import { startResolver } from "./resolver.ts";
import { run, until } from "./run.ts";
import { passphraseFile, secretsOf } from "./secrets.ts";
import { startSmarthost } from "./smarthost.ts";
import { hostKeys, startSshd } from "./sshd.ts";
import { inParallel, stage, type Log } from "./stages.ts";
import { startTailnet } from "./tailnet/index.ts";

export interface WorldOptions {
  /** Where the lines about the stages go. Default: standard output */
  log?: Log;
  /** Images that take the built ones' place. */
  images?: readonly GivenImage[];
}

/**
 * Brings a lab's world up: starts what does not run, and only that. After a failure, a kill or a
 * crash, running it again goes on where it stopped. About 40 s longer when the base image is not in
 * the cache yet.
 *
 * @param name the lab's name
 * @throws UserError when the machine cannot hold a lab, Error when a part does not start, with its
 *   last words
 * @example const layout = await up("lab");
 */
export async function up(
  name: string,
  { log = console.log, images = [] }: WorldOptions = {},
): Promise<Layout> {
  requireLabMachine();
  const layout = layoutOf(name);
  mkdirSync(layout.logDir, { recursive: true, mode: 0o755 });
  const onWait = () => log(`… another command on the lab "${name}" is running; waiting for it`);
  await withLock(layout.stateDir, () => start(layout, images, log), onWait);
  return layout;
}

async function start(layout: Layout, given: readonly GivenImage[], log: Log): Promise<void> {
  secretsOf(layout);
  passphraseFile(layout);
  // What a killed `up` had begun may still be at work in the machines, beside whom a second start
  // would trip. So they are switched off first, as by a power cut; data stays.
  const begun = join(layout.stateDir, "starting");
  if (existsSync(begun))
    await stage(log, "the last start was cut short", () => clear(layout).then(() => "machines off"));
  writeFileSync(begun, "");
  await stage(log, "network", async () => {
    if (networkIsUp(layout)) return "is up";
    // A part of one, of a killed start or from before a reboot.
    await clear(layout);
    await createNetwork(layout);
    return "up";
  });
  await stage(log, "hosts", async () => {
    const releases = [...new Set(BOXES.map((name) => releaseOnDisk(layout.boxes[name])))];
    for (const release of releases) await hostRoot(layout, release, (line) => log(`  hosts: ${line}`));
    return `Debian ${releases.join(", ")}`;
  });
  await stage(log, "machines", async () => {
    const started = await Promise.all(
      Object.values(layout.machines).map((machine) => startMachine(layout, machine)),
    );
    return remark(started.some(Boolean));
  });
  await inParallel(
    stage(log, "postgres", async () => {
      const result = await startPostgres(layout);
      return result === "held"
        ? "kept down; start it with: npm run lab -- postgres start"
        : remark(result === "started");
    }),
    stage(log, "smarthost", async () => remark(await startSmarthost(layout))),
    stage(log, "dns", async () => remark(await startDns(layout))),
    stage(log, "acme", async () => remark(await startAcme(layout))),
    ...BOXES.map((name) => stage(log, name, () => startBox(layout, layout.boxes[name]))),
    stage(log, "ssh", () => startSsh(layout)),
    startTailnetAndNodes(layout, log),
    startImages(layout, given, log),
  );
  rmSync(begun);
}

async function startBox(layout: Layout, box: Box): Promise<string> {
  const { started, version } = await startDocker(layout, box);
  return `dockerd ${version} ${remark(started)}`;
}

async function startSsh(layout: Layout): Promise<string> {
  const publicKey = await prepareOperator(layout);
  const boxes = Object.values(layout.boxes);
  const started = await Promise.all(boxes.map((box) => startSshd(box, publicKey)));
  knowHosts(layout, (await Promise.all(boxes.map(hostKeys))).flat());
  return `${boxes.map(({ sshHost }) => sshHost).join(", ")} ${remark(started.some(Boolean))}`;
}

async function startTailnetAndNodes(layout: Layout, log: Log): Promise<void> {
  let endpoints: Awaited<ReturnType<typeof startTailnet>> | undefined;
  await inParallel(
    stage(log, "tailnet", async () => {
      endpoints = await startTailnet(layout.tailnet);
      return `headscale and API at ${endpoints.apiUrl}`;
    }),
    ...(["edge", "edge2"] as const).map((edge) =>
      stage(
        log,
        `${edge}: resolver`,
        async () => `systemd-resolved ${remark(await startResolver(layout, edge))}`,
      ),
    ),
  );
  const joined = NODES.map((node) =>
    stage(log, `${node.machine}: tailscaled`, async () => {
      const started = endpoints && (await joinTailnet(layout, node, endpoints));
      return `${node.hostname}.${layout.tailnet.domain} ${remark(started === true)}`;
    }),
  );
  await inParallel(...joined);
}

async function startImages(layout: Layout, given: readonly GivenImage[], log: Log): Promise<void> {
  let images: NotedImages | undefined;
  await inParallel(
    stage(log, "images", async () => {
      images = await chooseImages(layout, given, (line) => log(`  images: ${line}`));
      for (const line of remarks(notedImages(layout), images)) log(`  images: ${line}`);
      return IMAGE_NAMES.join(", ");
    }),
    stage(log, "registry", async () => remark(await startRegistry(layout))),
  );
  await stage(log, "registry: images", async () => {
    if (!images) return undefined;
    const chosen = images;
    const order = IMAGE_NAMES.map((name) => ({ name, manifest: chosen[name].manifest }));
    const pushed = await pushImages(layout, order);
    noteImages(layout, chosen);
    return pushed.length > 0 ? `pushed ${pushed.length}` : "nothing to push";
  });
}

/**
 * Takes a lab's world away: every process (containers too), namespace, interface, mount, cgroup and
 * all of its state. Also what a killed or half-failed `up` left. Images and toolchain stay in the
 * cache. Nothing happens when there is no such lab.
 */
export async function down(name: string, { log = console.log }: WorldOptions = {}): Promise<void> {
  requireLabMachine();
  const layout = layoutOf(name);
  await withLock(layout.stateDir, async () => {
    await stage(log, "lab", async () => {
      await clear(layout);
      const existed = existsSync(layout.stateDir);
      // Images make it ten thousand files: rm is several times as fast as Node.
      await run("rm", ["--recursive", "--force", "--one-file-system", layout.stateDir]);
      return existed ? `"${name}" is gone` : `there is no "${name}"`;
    });
  });
}

/** Ends every process of the lab and removes what the kernel knows of it. */
async function clear(layout: Layout): Promise<void> {
  const machines = Object.values(layout.machines);
  await Promise.all(machines.map(stopMachine));
  // What is in the namespaces without belonging to a machine: headscale, the adapter, a start that
  // was killed, a shell of the user. A process that is in the lab's namespace belongs to it: no
  // recycled number can be hit.
  await until(
    `the lab "${layout.name}": all processes have ended`,
    () => {
      const left = processesIn(machines).filter((pid) => pid !== process.pid);
      for (const pid of left) sendSignal(pid, "SIGKILL");
      return left.length === 0;
    },
    15_000,
  );
  for (const box of Object.values(layout.boxes)) await removeCgroups(box.cgroup);
  await removeNetwork(layout);
}

function remark(started: boolean): string {
  return started ? "up" : "is up";
}
