import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, readAt } from "../../framework/values.ts";
import { hostPort, isLoopback } from "../hosts.ts";
import { MAIL_SETTINGS, SETTINGS } from "../own-resources.ts";
import { stalwartKeys } from "./flat-keys.ts";

/** A port that people connect to, so that somebody must be granted it. */
export interface Listener {
  readonly where: string;
  readonly port: number;
}

function fromKeys(settings: PolicyResource): Listener[] {
  const { values, where } = stalwartKeys(settings);
  const names = [...values.keys()];
  return [...values].flatMap(([key, bind]) => {
    const [, id] = /^server\.listener\.([^.]+)\.bind(?:\.\d+)?$/.exec(key) ?? [];
    if (id === undefined || values.get(`server.listener.${id}.protocol`) !== "http") return [];
    if (names.some((name) => name.startsWith(`server.listener.${id}.proxy.trusted-networks`))) return [];
    const [host, port] = hostPort(bind) ?? [];
    return host === undefined || port === undefined || isLoopback(host) ? [] : [{ where: where(key), port }];
  });
}

function fromArgs(component: PolicyResource): Listener[] {
  return listAt(component.props, ["settings", "listeners"]).entries.flatMap(({ path: place }) => {
    const [protocol, proxy, bind, port] = ["protocol", "proxy", "bind", "port"].map((key) => {
      const value = readAt(component.props, [...place, key]);
      return value.known ? value.value : undefined;
    });
    const open = protocol === "http" && proxy !== true && !isLoopback(String(bind ?? ""));
    return open && typeof port === "number" ? [{ where: formatPath(place), port }] : [];
  });
}

/**
 * Listeners for people: HTTP without PROXY protocol. The others are reached by way of the edge,
 * whose own config says so (lesson 3: on the admin listener it is the connecting node's address
 * that counts).
 */
export function listenersOf(resource: PolicyResource): Listener[] {
  if (resource.type === SETTINGS) return fromKeys(resource);
  return resource.type === MAIL_SETTINGS ? fromArgs(resource) : [];
}
