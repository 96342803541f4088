import { queuedMessages } from "../../provider/registry/queue.ts";
import { run, type RunOptions, type RunResult } from "../../lab/run.ts";
import type { BoxName, Layout } from "../../lab/topology.ts";
import { accountPassword } from "../parts/mail-round-trip.ts";
import { type ContainerRole, containerOf } from "../parts/containers.ts";
import type { Lab } from "../parts/open-lab.ts";
import { labServer } from "../parts/stalwart-server.ts";

/** The lab's stack, as a fault and its reckoning get hold of it. */
export interface World {
  lab: Lab;
  layout: Layout;
  /** alice's. */
  password: string;
  /** Runs the docker command on one of the hosts. */
  docker(box: BoxName, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  container(role: ContainerRole): string;
  /** Each message in Stalwart's queue, as its API writes it. */
  queued(): Promise<string[]>;
}

/** @throws UserError when no stack is deployed in the lab */
export async function openWorld(lab: Lab): Promise<World> {
  const { layout } = lab;
  const { isRegistry, keys, rows } = labServer(lab);
  return {
    lab,
    layout,
    password: await accountPassword(lab, "alice"),
    docker: (box, args, options) => run("docker", ["--host", layout.boxes[box].dockerHost, ...args], options),
    container: (role) => containerOf(layout.name, role),
    queued: () => (isRegistry ? queuedMessages(rows) : keys.queued()),
  };
}
