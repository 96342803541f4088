import { emptyMapping, type Mapping } from "../located.ts";
import { knownText } from "./inputs.ts";
import { asMapping } from "./merge.ts";
import { joinedService } from "./network.ts";

/** What a service is for, as tailwart's label has it. */
export type Role = "anchor" | "sidecar" | "stalwart";

/** The last part of an image's name: `stalwart`, `stalwart-mail`, one's own `tailwart-stalwart`. */
const STALWART = /(?:^|[-_])stalwart(?:-mail)?(?:-server)?$/;
const TAILSCALE = /(?:^|\/)tailscale\/tailscale(?:[:@]|$)/;

const imageOf = (service: Mapping): string => knownText(service.entries.get("image")) ?? "";

/** By its image; where that is built here, by the service's name. */
function isStalwart(name: string, service: Mapping): boolean {
  const image = imageOf(service);
  if (image === "") return service.entries.has("build") && STALWART.test(name) && !isNode(service);
  const [last = ""] = (image.split("/").at(-1) ?? "").split(/[:@]/, 1);
  return STALWART.test(last) || /(?:^|\/)stalwartlabs\/mail-server[:@]?/.test(image);
}

function isNode(service: Mapping): boolean {
  if (TAILSCALE.test(imageOf(service))) return true;
  const environment = asMapping(service.entries.get("environment") ?? emptyMapping(service.at));
  return [...environment.entries.keys()].some((name) => /^TS_(?:AUTH_?KEY|EXTRA_ARGS|STATE_DIR)$/.test(name));
}

/** The service at the end of a chain of `network_mode: service:`. */
function ownerOf(name: string, services: ReadonlyMap<string, Mapping>): string {
  let owner = name;
  for (let steps = 0; steps < 8; steps++) {
    const service = services.get(owner);
    const next = service && (joinedService(service) ?? joinedContainer(service, services));
    if (next === undefined) return owner;
    owner = next;
  }
  return owner;
}

/** `network_mode: container:name`, where the name is that of a service of the same project. */
function joinedContainer(service: Mapping, services: ReadonlyMap<string, Mapping>): string | undefined {
  const name = /^container:(.+)$/.exec(knownText(service.entries.get("network_mode")) ?? "")?.[1];
  return [...services].find(([, one]) => knownText(one.entries.get("container_name")) === name)?.[0];
}

/**
 * Who is who where a Stalwart shares its network namespace with a node of the tailnet. No compose
 * file has tailwart's labels, and by itself either of them is a server like any other.
 */
export function rolesOf(services: ReadonlyMap<string, Mapping>): Map<string, Role> {
  const roles = new Map<string, Role>();
  const owners = new Map([...services.keys()].map((name) => [name, ownerOf(name, services)]));
  for (const [name, service] of services) {
    if (!isStalwart(name, service)) continue;
    const owner = owners.get(name);
    const nodes = [...services].filter(([other, one]) => owners.get(other) === owner && isNode(one));
    if (nodes.length === 0) continue;
    roles.set(name, "stalwart");
    for (const [node] of nodes) roles.set(node, "sidecar");
    if (owner !== undefined && owner !== name && !roles.has(owner)) roles.set(owner, "anchor");
  }
  return roles;
}
