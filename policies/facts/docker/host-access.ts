import { posix } from "node:path";

import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, readAt, type Path } from "../../framework/values.ts";

/** A host path that a container is given, and where; the path is undefined while it is unknown. */
export interface HostPath {
  readonly where: string;
  readonly path: string | undefined;
}

/** Directories that hold the host's own alone. What is below is judged by itself. */
const OF_THE_HOST: readonly string[] = ["/", "/home", "/run", "/var", "/var/lib", "/var/run", "/var/spool"];

/**
 * Directories of which every part gives the host away: who writes there, or reads the keys there,
 * is root on the host sooner or later.
 */
const WHOLLY_OF_THE_HOST: readonly string[] = [
  ...["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/sbin", "/sys", "/usr"],
  ...["/var/lib/containerd", "/var/lib/containers", "/var/lib/docker", "/var/lib/kubelet"],
  ...["/var/lib/dpkg", "/var/lib/systemd", "/var/spool/cron", "/run/systemd"],
];

/** What of it containers are given for good reasons, each with all that is below it. */
const FINE: readonly RegExp[] = [
  /^\/etc\/(?:localtime|timezone|hosts|hostname|resolv\.conf|machine-id|os-release)$/,
  /^\/etc\/(?:ssl\/certs|ca-certificates|pki\/(?:ca-trust|tls\/certs)|letsencrypt)(?:\/|$)/,
  // a server's own configuration
  /^\/etc\/(?:caddy|nginx|traefik|haproxy|apache2|postfix|dovecot|stalwart|rspamd|opendkim|prometheus|grafana|alloy)(?:\/|$)/,
  /^\/etc\/(?:bind|clamav|coturn|crowdsec|dnsmasq|headscale|loki|mosquitto|mysql|postgresql|redis|telegraf|unbound)(?:\/|$)/,
  // data of the distribution
  /^\/etc\/fonts(?:\/|$)/,
  /^\/usr\/(?:local\/)?share\/(?:zoneinfo|ca-certificates|fonts|GeoIP)(?:\/|$)/,
  /^\/run\/systemd\/resolve\/(?:stub-)?resolv\.conf$/,
  /^\/lib\/modules$/, // of WireGuard's images
  /^\/dev\/(?:net\/tun|shm|log)$/,
  /^\/var\/lib\/docker\/volumes\/[^/]+\/_data(?:\/|$)/,
];

/** Devices that give nothing of the host away but themselves. */
const FINE_DEVICES: readonly RegExp[] = [
  /^\/dev\/net\/tun$/,
  /^\/dev\/dri(?:\/renderD\d+|\/card\d+)?$/, // a GPU, for video
  /^\/dev\/(?:tty(?:USB|ACM)\d+|serial\/by-(?:id|path)\/[^/]+)$/, // radios and meters on USB
  /^\/dev\/(?:snd|video\d+)$/,
];

/** Whether a container may have a device for what it does. */
export const isFineDevice = (path: string): boolean => FINE_DEVICES.some((shape) => shape.test(path));

/** What a container can do with a host path that it should not, or undefined. */
export function dangerOf(path: string): string | undefined {
  // /var/run is a link to /run on every distribution of today.
  const clean = posix
    .normalize(path)
    .replace(/(.)\/$/, "$1")
    .replace(/^\/var\/run(?=\/)/, "/run");
  if (/(?:^|\/)(?:docker|containerd|podman|crio)\.sock$/.test(clean))
    return "hands over the container engine's socket, by which it is root on the host";
  if (OF_THE_HOST.includes(clean)) return `mounts the host's ${clean}`;
  if (clean.startsWith("/proc/")) return "mounts the host's /proc, where every process shows its environment";
  if (/\/\.(?:ssh|docker|kube|gnupg|aws)(?:\/|$)/.test(clean)) return `hands over the keys in ${clean}`;
  const isOwn = WHOLLY_OF_THE_HOST.some((folder) => clean === folder || clean.startsWith(`${folder}/`));
  return isOwn && !FINE.some((pattern) => pattern.test(clean)) ? `mounts the host's ${clean}` : undefined;
}

/** Every host path among a container's volumes and mounts. */
export function hostPathsOf({ props }: PolicyResource): HostPath[] {
  const paths: HostPath[] = [];
  const take = (path: Path): void => {
    const value = readAt(props, path);
    if (!value.known) paths.push({ where: formatPath(path), path: undefined });
    else if (typeof value.value === "string") paths.push({ where: formatPath(path), path: value.value });
  };
  const volumes = listAt(props, ["volumes"]);
  const mounts = listAt(props, ["mounts"]);
  if (!volumes.known) paths.push({ where: "volumes", path: undefined });
  if (!mounts.known) paths.push({ where: "mounts", path: undefined });
  for (const { path } of volumes.entries) take([...path, "hostPath"]);
  for (const { path } of mounts.entries) {
    const type = readAt(props, [...path, "type"]);
    // The source of a volume mount is a volume's name, and no path.
    if (!type.known || type.value === "bind") take([...path, "source"]);
  }
  return paths;
}
