import { readFileSync } from "node:fs";

import { parse } from "yaml";

import { componentArgs } from "../../config/component-args.ts";
import { stackFileConfig } from "../../config/stack-file.ts";
import type { VerifyTarget } from "../../verify/checks.ts";

/**
 * What to look at, from a stack's config file; names of containers follow from the stack's name.
 * Its secrets stay encrypted.
 *
 * @throws UserError when the config is refused
 */
export function verifyTargetOf(file: string, stack: string): VerifyTarget {
  const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  const { kvmDockerHost, edgeDockerHost, edgeNames, ...reached } = componentArgs(
    stackFileConfig(config),
  ).verification;
  const container = (role: string) => `tailwart-${stack}-${role}`;
  return {
    kvm: {
      dockerHost: kvmDockerHost,
      sidecar: container("sidecar"),
      stalwart: container("stalwart"),
    },
    edge: {
      dockerHost: edgeDockerHost,
      container: container("edge"),
      names: edgeNames,
    },
    ...reached,
  };
}
