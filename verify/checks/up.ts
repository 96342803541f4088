import type { Check } from "../check.ts";
import { edge, edgeNames } from "./edge.ts";
import { edgeDocker, edgeRuns, kvmDocker, namespace, stalwartRuns } from "./hosts.ts";
import { edgeAddress } from "./node.ts";
import { postgres, relay, stores } from "./peers.ts";
import { stalwart } from "./stalwart.ts";
import { sidecar, tailnet } from "./tailnet.ts";

/**
 * The checks that an `up` can end with: they need no more than a VerifyTarget, and nothing that
 * only the doctor loads.
 */
export const UP_CHECKS: readonly Check[] = [
  kvmDocker,
  namespace,
  tailnet,
  postgres,
  sidecar,
  stores,
  relay,
  stalwartRuns,
  stalwart,
  edgeDocker,
  edgeRuns,
  edgeNames,
  edgeAddress,
  edge,
];
