import { isIPv4, isIPv6 } from "node:net";

import { notPublic } from "../../lib/address-ranges.ts";
import type { PolicyResource } from "../framework/policy.ts";
import { formatPath, listAt, readAt, readString } from "../framework/values.ts";
import { caddyOf } from "./caddy/find.ts";
import { includesPort, type Listen } from "./caddy/model.ts";
import { CONTAINER } from "./docker/containers.ts";
import { isLoopback } from "./hosts.ts";
import { EDGE } from "./own-resources.ts";

/** Where mail from the internet comes in, as a resource of the stack says it. */
export interface MailEdge {
  readonly resource: PolicyResource;
  readonly where: string;
  /** Undefined where the stack does not tell. */
  readonly takesIPv6: boolean | undefined;
  /** Its public IPv4 address, where the stack tells. */
  readonly address?: string;
}

/** The port at which other mail servers deliver. */
const SMTP = 25;

function edgeAt(resource: PolicyResource, where: string, address: string): MailEdge {
  const own = isIPv4(address) && notPublic(address) === undefined ? { address } : {};
  return { resource, where, takesIPv6: isIPv6(address), ...own };
}

/** tailwart's edge states where the internet reaches it. */
function ofComponent(resource: PolicyResource): MailEdge[] {
  const stated = ["wanAddress", "wanAddress6"].map((key) => ({
    key,
    text: readString(resource.props, [key]),
  }));
  if (stated.some(({ text }) => !text.known))
    return [{ resource, where: "wanAddress", takesIPv6: undefined }];
  return stated.flatMap(({ key, text }) =>
    text.value === undefined ? [] : [edgeAt(resource, key, text.value)],
  );
}

/** Published ports: Docker's provider binds `0.0.0.0` where none is named, which is IPv4 alone. */
function ofPorts(container: PolicyResource): MailEdge[] {
  return listAt(container.props, ["ports"]).entries.flatMap(({ path }): MailEdge[] => {
    // Where none is named, the port on the host is one of the free ones.
    const port = readAt(container.props, [...path, "external"]);
    if (!port.known || port.value !== SMTP) return [];
    const ip = readString(container.props, [...path, "ip"]);
    const where = formatPath(path);
    if (!ip.known) return [{ resource: container, where, takesIPv6: undefined }];
    return isLoopback(ip.value ?? "") ? [] : [edgeAt(container, where, ip.value || "0.0.0.0")];
  });
}

function takesIPv6({ host, family }: Listen): boolean | undefined {
  if (host === "") return family !== 4;
  return isIPv6(host) ? true : isIPv4(host) ? false : undefined;
}

/** Caddy's own listeners. Only on the host's network are they what the internet reaches. */
function ofCaddy(resource: PolicyResource): MailEdge[] {
  const network = resource.type === CONTAINER ? readString(resource.props, ["networkMode"]).value : undefined;
  return (caddyOf(resource)?.configs ?? []).flatMap(({ layer4 }) =>
    layer4.flatMap(({ where, listen }) =>
      listen
        .filter((one) => includesPort([one], SMTP) && !isLoopback(one.host))
        .map((one): MailEdge => {
          const ipv6 = takesIPv6(one);
          if (network !== "host" && !ipv6) return { resource, where, takesIPv6: undefined };
          return { ...edgeAt(resource, where, one.host), takesIPv6: ipv6 };
        }),
    ),
  );
}

/** Every edge of the stack at which mail comes in, once for each address that it is bound to. */
export function mailEdgesOf(resources: readonly PolicyResource[]): MailEdge[] {
  const components = resources.filter(({ type }) => type === EDGE);
  if (components.length > 0) return components.flatMap(ofComponent);
  return resources.flatMap((resource) => {
    const published = resource.type === CONTAINER ? ofPorts(resource) : [];
    return published.length > 0 ? published : ofCaddy(resource);
  });
}
