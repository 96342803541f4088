import { posix } from "node:path";

import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, readAt, type Path } from "../../framework/values.ts";

/** A host path that a container is given, and where; the path is undefined while it is unknown. */
export interface HostPath {
  readonly where: string;
  readonly path: string | undefined;
}

/** Directories of the host's own files, devices or sockets. What is below is judged by itself. */
const OF_THE_HOST: readonly string[] = [
  "/",
  "/boot",
  "/dev",
  "/etc",
  "/proc",
  "/root",
  "/run",
  "/sys",
  "/usr",
  "/var",
  "/var/lib",
  "/var/lib/docker",
  "/var/run",
];

/** What a container can do with a host path that it should not, or undefined. */
export function dangerOf(path: string): string | undefined {
  const clean = posix.normalize(path).replace(/(.)\/$/, "$1");
  if (/(?:^|\/)(?:docker|containerd|podman|crio)\.sock$/.test(clean))
    return "hands over the container engine's socket, by which it is root on the host";
  if (OF_THE_HOST.includes(clean)) return `mounts the host's ${clean}`;
  return clean.startsWith("/proc/")
    ? "mounts the host's /proc, where every process shows its environment"
    : undefined;
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
