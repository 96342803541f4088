import type { Servers } from "../lib/tailnet/flows.ts";
import type { EdgeNames } from "./names.ts";

/** An edge's container, and what it has to resolve. */
export interface EdgeTarget {
  dockerHost: string;
  container: string;
  names: EdgeNames;
}

/** Where the stack runs, and what it must reach: the input of verify/main.ts. */
export interface VerifyTarget extends Servers {
  kvm: { dockerHost: string; sidecar: string; stalwart: string };
  /** The edge that is looked at. */
  edge?: EdgeTarget;
  /** The node that all of it is seen from, such as `stalwart (tag:stalwart)`. */
  node: string;
}
