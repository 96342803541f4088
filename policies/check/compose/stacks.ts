import { below, itemsOf, textOf, type Located, type Mapping } from "../located.ts";
import type { Repository } from "../repository.ts";
import { urnOf, type Gap, type Source, type Stack } from "../resource.ts";
import { containerOf } from "./container.ts";
import { nameOfVolume } from "./mounts.ts";
import type { Project } from "./project.ts";
import { rolesOf } from "./roles.ts";

const NETWORK = "docker:index/network:Network";
const VOLUME = "docker:index/volume:Volume";

/**
 * A project as stacks: one for each of its profiles, since services of two profiles need not run
 * together; all that are named by `profiles` in one, where it names any.
 */
export function stacksOf(
  project: Project,
  repository: Repository,
  profiles: readonly string[],
): { readonly stacks: readonly Stack[]; readonly gaps: readonly Gap[] } {
  const gaps: Gap[] = [...project.gaps];
  const own = new Set([...project.services.values()].flatMap(profilesOf));
  const given = profiles.length > 0 ? profiles : composeProfiles(project);
  const sets = given.length > 0 ? [given] : own.size > 0 ? [...own].map((one) => [one]) : [[]];
  const shared = [...networksOf(project), ...volumesOf(project)];
  const stacks = sets.map((active): Stack => {
    const services = new Map(
      [...project.services].filter(([, service]) => {
        const wanted = profilesOf(service);
        return wanted.length === 0 || wanted.some((one) => active.includes(one) || active.includes("*"));
      }),
    );
    const roles = rolesOf(services);
    const containers = [...services].map(([name, service]) => {
      const made = containerOf(name, service, roles.get(name), { ...project, services }, repository);
      gaps.push(...made.gaps);
      return made.source;
    });
    return { name: project.name, at: project.at, resources: [...containers, ...shared] };
  });
  return { stacks, gaps };
}

const profilesOf = (service: Mapping): string[] =>
  itemsOf(service.entries.get("profiles")).flatMap((profile) => textOf(profile) ?? []);

const composeProfiles = ({ variables }: Project): string[] =>
  (variables.get("COMPOSE_PROFILES")?.value ?? "").split(",").filter(Boolean);

const isExternal = (node: Located): boolean => textOf(below(node, "external")) === "true";

function networksOf(project: Project): Source[] {
  return [...project.networks]
    .filter(([, node]) => !isExternal(node))
    .map(([name, node]) => {
      const ipv6 = textOf(below(node, "enable_ipv6")) === "true";
      const internal = textOf(below(node, "internal")) === "true";
      return sourceOf(project, NETWORK, name, node, `networks.${name}`, { name, ipv6, internal });
    });
}

function volumesOf(project: Project): Source[] {
  return [...project.volumes]
    .filter(([, node]) => !isExternal(node))
    .map(([name, node]) =>
      sourceOf(project, VOLUME, name, node, `volumes.${name}`, { name: nameOfVolume(name, project) }),
    );
}

/** Compose deletes neither by itself, so both count as protected. */
function sourceOf(
  project: Project,
  type: string,
  name: string,
  node: Located,
  shown: string,
  inputs: Source["inputs"],
): Source {
  const at = { ...node.at, shown };
  return { type, name, urn: urnOf(project.name, type, name), inputs, protect: true, at, places: new Map() };
}
