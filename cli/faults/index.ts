import { DATABASE } from "./database.ts";
import { DEPLOYS } from "./deploys.ts";
import { EDGES } from "./edges.ts";
import type { Fault } from "./fault.ts";
import { HOSTS } from "./hosts.ts";
import { NAMES } from "./names.ts";
import { RELAY } from "./relay.ts";
import { SERVER } from "./server.ts";
import { TAILNET } from "./tailnet.ts";

/** What all others are measured against. */
const none: Fault = {
  name: "none",
  what: "nothing happens",
  inject: () => Promise.resolve(),
};

/** Every fault, in the order in which they are run. */
export const FAULTS: readonly Fault[] = [
  none,
  ...DATABASE,
  ...SERVER,
  ...TAILNET,
  ...HOSTS,
  ...EDGES,
  ...NAMES,
  ...RELAY,
  ...DEPLOYS,
];
