import { componentArgs } from "../../config/component-args.ts";
import type { Config } from "../../config/schema.ts";
import { wantedRecords } from "../../config/written-records.ts";
import type { DoctorTarget } from "../../verify/doctor/target.ts";
import { type ContainerRole, containerOf } from "../parts/containers.ts";

/**
 * What to look at, from a stack's config; names of containers follow from the stack's name.
 *
 * @param dkimRecords selector → what its record says, from the stack's outputs
 */
export function targetOf(
  config: Config,
  stack: string,
  dkimRecords: Readonly<Record<string, string>> = {},
): DoctorTarget {
  const args = componentArgs(config);
  const { kvmDockerHost, ...reached } = args.verification;
  const container = (role: ContainerRole) => containerOf(stack, role);
  const images = Object.entries({ ...args.images.kvm, ...args.images.edge });
  return {
    ...reached,
    stack,
    named: `--stack ${stack}`,
    kvm: { dockerHost: kvmDockerHost, sidecar: container("sidecar"), stalwart: container("stalwart") },
    edges: args.edges.map(({ name, names, caddy: { dockerHost, wanAddress } }) => ({
      name,
      dockerHost,
      container: container("edge"),
      names,
      wanAddress,
    })),
    images: Object.fromEntries(images.map(([role, image]) => [container(role as ContainerRole), image])),
    services: args.services,
    passthrough: args.passthrough,
    settings: args.settings,
    generation: args.generation,
    dns: { ...wantedRecords(config, dkimRecords), servers: config.dns.servers, egress: config.relay.egress },
    canary: false,
  };
}
