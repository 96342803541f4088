import { createHash } from "node:crypto";

import { below, emptyMapping, entriesOf, itemsOf, textOf, type Located, type Mapping } from "../located.ts";
import { UNKNOWN } from "../resource.ts";
import { knownText, placeOf, type Inputs } from "./inputs.ts";
import { asMapping } from "./merge.ts";

/** Stands for the id of a service's container, which Compose makes of `network_mode: service:`. */
export const containerId = (service: string): string => createHash("sha256").update(service).digest("hex");

/** The service whose network namespace another one joins. */
export function joinedService(service: Mapping): string | undefined {
  return /^service:(.+)$/.exec(knownText(service.entries.get("network_mode")) ?? "")?.[1];
}

/** Networks, ports, names and resolvers. */
export function addNetwork(service: Mapping, inputs: Inputs): void {
  const mode = service.entries.get("network_mode");
  const joined = joinedService(service);
  if (mode && joined !== undefined)
    inputs.set(
      "networkMode",
      { value: `container:${containerId(joined)}` },
      placeOf(mode, inputs.shown("network_mode")),
    );
  else inputs.scalar("networkMode", mode, "network_mode");
  for (const { key, at, node } of entriesOf(
    asMapping(service.entries.get("networks") ?? emptyMapping(service.at)),
  )) {
    const aliases = itemsOf(below(node, "aliases")).flatMap((alias) => textOf(alias) ?? []);
    const address = textOf(below(node, "ipv4_address"));
    const value = { name: key, aliases, ...(address !== undefined && { ipv4Address: address }) };
    inputs.push("networksAdvanced", { value }, { ...at, shown: inputs.shown(`networks.${key}`) });
  }
  for (const [index, port] of itemsOf(service.entries.get("ports")).entries())
    for (const value of portsOf(port))
      inputs.push("ports", { value }, placeOf(port, inputs.shown(`ports[${index}]`)));
  for (const { key, at, node } of entriesOf(
    asMapping(service.entries.get("extra_hosts") ?? emptyMapping(service.at)),
  )) {
    const value = { host: key, ip: textOf(node) ?? "" };
    inputs.push("hosts", { value }, { ...at, shown: inputs.shown(`extra_hosts.${key}`) });
  }
  inputs.list("dns", service.entries.get("dns"), "dns");
  inputs.list("dnsSearches", service.entries.get("dns_search"), "dns_search");
  inputs.scalar("hostname", service.entries.get("hostname"), "hostname");
  inputs.scalar("domainname", service.entries.get("domainname"), "domainname");
}

interface Port {
  readonly internal: unknown;
  readonly external?: unknown;
  readonly ip?: string;
  readonly protocol: string;
}

const MAX_RANGE = 256;
const SHORT = /^(?:(?:\[([^\]]+)\]|([^:\][]+)):)?(?:([\d-]*):)?(\d+(?:-\d+)?)(?:\/(\w+))?$/;

/** `[ip:][published:]target[/protocol]`, with ranges; or the long form. */
function portsOf(node: Located): Port[] {
  if (node.kind === "mapping") {
    const ip = textOf(below(node, "host_ip"));
    const published = textOf(below(node, "published"));
    const protocol = textOf(below(node, "protocol")) ?? "tcp";
    return pair(textOf(below(node, "target")) ?? "", published, ip, protocol);
  }
  if (node.kind !== "scalar" || node.unset) return [{ internal: UNKNOWN, protocol: "tcp" }];
  const text = textOf(node) ?? "";
  // A lone number before the target is the published port, and no address.
  const [, six, four, published, target = "", protocol = "tcp"] = /^(\d[\d-]*):(\d[\d-]*)(?:\/(\w+))?$/.test(
    text,
  )
    ? (SHORT.exec(`0.0.0.0:${text}`) ?? [])
    : (SHORT.exec(text) ?? []);
  const ip = six ?? four;
  const isPlain = /^\d[\d-]*:/.test(text);
  return pair(target, published, isPlain ? undefined : ip, protocol);
}

function pair(
  target: string,
  published: string | undefined,
  ip: string | undefined,
  protocol: string,
): Port[] {
  const inside = range(target);
  const outside = published ? range(published) : [];
  return inside.map((internal, index) => {
    const external = outside.length === inside.length ? outside[index] : outside[0];
    return {
      internal,
      ...(external !== undefined && { external }),
      ...(ip !== undefined && { ip }),
      protocol,
    };
  });
}

function range(text: string): number[] {
  const [, from = "", to = from] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (from === "") return [];
  const length = Math.min(Math.max(Number(to) - Number(from) + 1, 1), MAX_RANGE);
  return Array.from({ length }, (_, index) => Number(from) + index);
}
