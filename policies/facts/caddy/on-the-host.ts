/** Configs that no input holds: a file of the host is mounted, or a local one is copied there. */
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, readString } from "../../framework/values.ts";
import { CONTAINER, knownRoleOf } from "../docker/containers.ts";

/** Caddy's folder, a file in it, or one that is named as a config of Caddy's. */
const CONFIG = /^\/etc\/caddy(?:\/|$)|(?:^|\/)Caddyfile[^/]*$|\.caddyfile$|(?:^|\/)caddy[^/]*\.json$/i;
const NOT_READ = "which is not read here";

/** Lists of what a container is given, with the keys of where from and where to. */
const GIVEN = [
  ["volumes", "hostPath", "containerPath"],
  ["volumes", "volumeName", "containerPath"],
  ["mounts", "source", "target"],
] as const;

function mounted({ props }: PolicyResource): NotJudged[] {
  return GIVEN.flatMap(([list, from, to]) =>
    listAt(props, [list]).entries.flatMap(({ path }): NotJudged[] => {
      const source = readString(props, [...path, from]);
      const { value: target = "" } = readString(props, [...path, to]);
      if ((source.known && !source.value) || !CONFIG.test(target)) return [];
      const because = `Caddy's config ${target} comes from the host or a volume, ${NOT_READ}`;
      return [{ where: formatPath([...path, from]), because }];
    }),
  );
}

/** What a resource says of a Caddy config that lies elsewhere. */
export function configsElsewhere(resource: PolicyResource): NotJudged[] {
  // tailwart's own edge has its config by a command, which is read.
  if (resource.type === CONTAINER) return knownRoleOf(resource) === undefined ? mounted(resource) : [];
  if (resource.type !== "command:remote:CopyFile") return [];
  const { value: target = "" } = readString(resource.props, ["remotePath"]);
  const because = `Caddy's config ${target} is copied from a local file, ${NOT_READ}`;
  return CONFIG.test(target) ? [{ where: "localPath", because }] : [];
}
