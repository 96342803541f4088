/** Stalwart's HTTP listeners and the paths they answer, by keys, a TOML file, or the registry. */
import { gapAt } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import { formatPath, read, readAt, readString, type Path } from "../../framework/values.ts";
import { CONTAINER } from "../docker/containers.ts";
import { uploadsOf } from "../docker/uploads.ts";
import { hostPort, isLoopback } from "../hosts.ts";
import { REGISTRY, SETTINGS } from "../own-resources.ts";
import { keysOfToml } from "./config-file.ts";
import { stalwartKeys, type StalwartKeys } from "./flat-keys.ts";
import { ifBlockOf } from "./routing.ts";

/** An HTTP listener that the internet is meant to reach. */
export interface PublicListener {
  readonly where: string;
  readonly name: string;
  readonly port: number;
}

/** One branch: without a condition it always holds. "unknown" for what is unknown at preview. */
export interface EndpointRule {
  readonly condition: string | undefined;
  readonly status: string | undefined;
  readonly unknown: boolean;
}

export interface Endpoints {
  readonly listeners: readonly PublicListener[];
  /** Where the rules are written, or would be. */
  readonly where: string;
  /** In order; [] where Stalwart has none or cannot read them, which leaves every path open. */
  readonly rules: readonly EndpointRule[];
  readonly gaps: readonly NotJudged[];
}

const RULES = "http.allowed-endpoint";
const BIND = /^server\.listener\.(.+)\.bind(?:\.[^.]+)?$/;
/** Ports that browsers and mail programs open by themselves. */
const WEB_PORTS: ReadonlySet<number> = new Set([80, 443]);

/** A listener is public by its port, or since an edge's PROXY headers are demanded on it. */
function publicPort(binds: readonly string[], behindProxy: boolean): number | undefined {
  const open = binds
    .map((bind) => hostPort(bind.trim()))
    .filter((address) => address !== undefined && !isLoopback(address[0]));
  return open
    .map((address) => address?.[1])
    .find((port) => port !== undefined && (behindProxy || WEB_PORTS.has(port)));
}

function fromKeys(keys: StalwartKeys): Endpoints {
  const { values, gaps, where } = keys;
  const names = [...values.keys(), ...gaps.flatMap(({ key }) => key ?? [])];
  const ids = [...new Set(names.flatMap((key) => BIND.exec(key)?.[1] ?? []))];
  const trusts = (id: string): boolean =>
    names.some((key) => key.startsWith(`server.listener.${id}.proxy.trusted-networks`)) ||
    names.some((key) => key.startsWith("server.proxy.trusted-networks"));
  const listeners = ids.flatMap((id): PublicListener[] => {
    if (values.get(`server.listener.${id}.protocol`) !== "http") return [];
    const binds = [...values].filter(([key]) => BIND.exec(key)?.[1] === id);
    const port = publicPort(
      binds.map(([, bind]) => bind),
      trusts(id),
    );
    const [first = ["", ""]] = binds;
    return port === undefined ? [] : [{ where: where(first[0]), name: id, port }];
  });
  const block = ifBlockOf(keys, RULES);
  return {
    listeners,
    where: block.kind === "broken" ? block.where : RULES,
    rules:
      block.kind !== "rules"
        ? []
        : block.rules.map(({ condition, value, holds }) => ({
            condition,
            status: value,
            unknown: value === undefined || (condition === undefined && holds !== "always"),
          })),
    gaps: gaps
      .filter(({ key }) => key === undefined || /^server\.listener\..+\.(?:bind|protocol)/.test(key))
      .map(({ where: place, because }) => ({ where: place, because })),
  };
}

/** Config files that a container brings along. */
function fromUploads(container: PolicyResource): Endpoints[] {
  return uploadsOf(container).uploads.flatMap(({ where, file = "", text, unread }) => {
    if (!file.endsWith(".toml")) return [];
    if (unread === "unknown" && /stalwart/i.test(file))
      return [{ listeners: [], where, rules: [], gaps: [gapAt(where)] }];
    const keys = text !== undefined && /\blistener\b/.test(text) ? keysOfToml(text, where) : undefined;
    return keys ? [fromKeys(keys)] : [];
  });
}

function fromRegistry({ props }: PolicyResource): Endpoints {
  const objects = read(props, "objects");
  const where = formatPath(["objects", "Http", "allowedEndpoints"]);
  if (!objects.known) return { listeners: [], where, rules: [], gaps: [gapAt("objects")] };
  const keys = Object.keys((objects.value ?? {}) as object);
  const gaps: NotJudged[] = [];
  const everywhere = memberNames(props, ["objects", "SystemSettings", "proxyTrustedNetworks"]).length > 0;
  const listeners = keys.flatMap((key): PublicListener[] => {
    if (!key.startsWith("NetworkListener/")) return [];
    const path = ["objects", key];
    const protocol = readString(props, [...path, "protocol"]);
    const binds = readAt(props, [...path, "bind"]);
    if (!protocol.known || !binds.known) {
      gaps.push(gapAt(formatPath(path)));
      return [];
    }
    if (protocol.value !== "http") return [];
    const behindProxy =
      everywhere || memberNames(props, [...path, "overrideProxyTrustedNetworks"]).length > 0;
    const port = publicPort(memberNames(props, [...path, "bind"]), behindProxy);
    const name = key.slice(key.indexOf("/") + 1);
    return port === undefined ? [] : [{ where: formatPath(path), name, port }];
  });
  return { listeners, where, rules: registryRules(props), gaps };
}

/** A set as the registry has it: an object of `true`s. */
function memberNames(props: unknown, path: Path): string[] {
  const set = readAt(props, path);
  return set.known && typeof set.value === "object" && set.value !== null ? Object.keys(set.value) : [];
}

function registryRules(props: unknown): EndpointRule[] {
  const path: Path = ["objects", "Http", "allowedEndpoints"];
  const expression = readAt(props, path);
  if (expression.known && (typeof expression.value !== "object" || expression.value === null)) return [];
  const ruleAt = (condition: Path | undefined, result: Path): EndpointRule => {
    const [when, status] = [condition && readString(props, condition), readString(props, result)];
    return { condition: when?.value, status: status.value, unknown: when?.known === false || !status.known };
  };
  const order = memberNames(props, [...path, "match"]).sort((a, b) => Number(a) - Number(b));
  const branches = order.map((i) => [...path, "match", i]);
  return [
    ...branches.map((branch) => ruleAt([...branch, "if"], [...branch, "then"])),
    ruleAt(undefined, [...path, "else"]),
  ];
}

/** What a resource says of Stalwart's HTTP endpoints; [] when it says nothing of them. */
export function endpointsOf(resource: PolicyResource): Endpoints[] {
  if (resource.type === SETTINGS) return [fromKeys(stalwartKeys(resource))];
  if (resource.type === REGISTRY) return [fromRegistry(resource)];
  return resource.type === CONTAINER ? fromUploads(resource) : [];
}
