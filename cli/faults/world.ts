import { StalwartApi } from "../../provider/keys/api.ts";
import { RegistryApi } from "../../provider/registry/jmap.ts";
import { queuedMessages } from "../../provider/registry/queue.ts";
import { DEFAULT_API } from "../../provider/server/state.ts";
import { dockerTransport } from "../../provider/server/transport.ts";
import { run, type RunOptions, type RunResult } from "../../lab/run.ts";
import type { BoxName, Layout } from "../../lab/topology.ts";
import { generationOf } from "../../lib/stalwart/release.ts";
import { accountPassword } from "../parts/mail-round-trip.ts";
import type { Lab } from "../parts/open-lab.ts";

export type ContainerRole = "anchor" | "sidecar" | "stalwart" | "edge";

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

/** Where a role's container runs. */
export const hostOf = (role: ContainerRole): BoxName => (role === "edge" ? "edge" : "kvm");

/** @throws UserError when no stack is deployed in the lab */
export async function openWorld(lab: Lab): Promise<World> {
  const { layout, facts } = lab;
  const container = (role: ContainerRole) => `tailwart-${layout.name}-${role}`;
  const transport = dockerTransport(layout.boxes.kvm.dockerHost, container("stalwart"));
  const keys = new StalwartApi(transport, DEFAULT_API);
  const rows = new RegistryApi(transport, DEFAULT_API);
  const isRegistry = generationOf(facts.stalwartLine) === "registry";
  return {
    lab,
    layout,
    password: await accountPassword(lab, "alice"),
    docker: (box, args, options) => run("docker", ["--host", layout.boxes[box].dockerHost, ...args], options),
    container,
    queued: () => (isRegistry ? queuedMessages(rows) : keys.queued()),
  };
}
