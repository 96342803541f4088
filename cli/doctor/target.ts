import { readFileSync } from "node:fs";

import { parse } from "yaml";

import { componentArgs } from "../../config/component-args.ts";
import { mailSetup } from "../../config/mail-setup.ts";
import type { Config } from "../../config/schema.ts";
import { stackFileConfig } from "../../config/stack-file.ts";
import { mailRecords } from "../../lib/dns/mail-records.ts";
import type { DoctorTarget } from "../../verify/doctor/target.ts";
import { type ContainerRole, containerOf } from "../parts/containers.ts";

/**
 * What to look at, from a stack's config file; names of containers follow from the stack's name.
 * Its secrets stay encrypted.
 *
 * @throws UserError when the config is refused
 */
export function doctorTargetOf(file: string, stack: string): DoctorTarget {
  const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  return targetOf(stackFileConfig(config), stack);
}

/** The same from a config as it is understood. */
export function targetOf(config: Config, stack: string): DoctorTarget {
  const args = componentArgs(config);
  const { kvmDockerHost, edgeDockerHost, edgeNames, ...reached } = args.verification;
  const container = (role: ContainerRole) => containerOf(stack, role);
  const images = Object.entries({ ...args.images.kvm, ...args.images.edge });
  return {
    ...reached,
    stack,
    named: `--stack ${stack}`,
    kvm: { dockerHost: kvmDockerHost, sidecar: container("sidecar"), stalwart: container("stalwart") },
    edge: { dockerHost: edgeDockerHost, container: container("edge"), names: edgeNames },
    images: Object.fromEntries(images.map(([role, image]) => [container(role as ContainerRole), image])),
    wanAddress: args.edge.wanAddress,
    services: args.edge.services,
    passthrough: args.edge.passthrough,
    settings: args.settings,
    generation: args.generation,
    dns: mailRecords(mailSetup(config)),
    canary: false,
  };
}
