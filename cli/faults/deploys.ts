/** What a deploy does while mail flows. */
import { pushTwin } from "../../lab/images/twin.ts";
import { type Overrides, stackFlags, writeStackConfig } from "../parts/lab-config.ts";
import { mustPulumi } from "../parts/pulumi-cli.ts";
import { DATABASE_AWAY, EDGE_STARTS, SIDECAR_STARTS, STALWART_STARTS } from "./allowed.ts";
import type { Fault } from "./fault.ts";
import { AT_LEAST_ONCE } from "./server.ts";
import type { World } from "./world.ts";

/** A deploy takes the better part of a minute, and mail flows all the time. */
const SPANS = 60;
const ALL_START = [...SIDECAR_STARTS, ...STALWART_STARTS, ...EDGE_STARTS, ...DATABASE_AWAY];

/** An `up` of the lab's stack, with changes to its config. */
export async function deploy({ lab }: World, overrides: Overrides, ...args: string[]): Promise<void> {
  await writeStackConfig(lab.stack, lab.facts, overrides);
  await mustPulumi(lab.stack, ["up", "--yes", "--skip-preview", ...stackFlags(lab.stack), ...args]);
}

/** A resource that is made anew, as a new image would have it. */
const replaced = (part: string, resource: string): Fault => ({
  name: `${part}-replaced`,
  what: `\`up\` replaces the container of the ${part}`,
  inject: (world) => deploy(world, {}, "--replace", `**::${resource}`),
  allowed: ALL_START,
  duplicates: AT_LEAST_ONCE,
  spans: SPANS,
});

const changed = (what: string, name: string, overrides: Overrides): Fault => ({
  name,
  what: `\`up\` changes ${what}`,
  inject: (world) => deploy(world, overrides),
  heal: (world) => deploy(world, {}),
  lasts: 5,
  allowed: ALL_START,
  duplicates: AT_LEAST_ONCE,
  spans: SPANS,
});

export const DEPLOYS: readonly Fault[] = [
  replaced("anchor", "mail-anchor"),
  replaced("sidecar", "mail-sidecar"),
  replaced("stalwart", "mail-stalwart-server"),
  replaced("edge", "edge-caddy"),
  changed("a setting of Stalwart's config file", "settings-changed", {
    "tailwart:settings/autoBan": { auth: "200/1d" },
  }),
  changed("the route, to the smarthost's port 25", "route-changed", { "tailwart:relay/port": 25 }),
  {
    name: "image-changed",
    what: "`up` changes the image of Stalwart",
    inject: async (world) =>
      deploy(world, { "tailwart:images/stalwart": await pushTwin(world.layout, "stalwart") }),
    heal: (world) => deploy(world, {}),
    lasts: 5,
    allowed: ALL_START,
    duplicates: AT_LEAST_ONCE,
    spans: SPANS,
  },
];
