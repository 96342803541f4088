import type { Check } from "../check.ts";
import { edge, edgeNames } from "./edge.ts";
import { edgeDocker, kvmDocker, namespace } from "./hosts.ts";
import { postgres, relay, stores } from "./peers.ts";
import { stalwart } from "./stalwart.ts";
import { sidecar, tailnet } from "./tailnet.ts";

/** The checks that an `up` can end with: they need no more than a VerifyTarget. */
export const UP_CHECKS: readonly Check[] = [
  kvmDocker,
  namespace,
  tailnet,
  postgres,
  sidecar,
  stores,
  relay,
  stalwart,
  edgeDocker,
  edgeNames,
  edge,
];
