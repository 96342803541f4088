import { gapAt } from "../framework/judgement.ts";
import {
  definePolicy,
  type Finding,
  type NotJudged,
  type PolicyResource,
  type Verdict,
} from "../framework/policy.ts";
import { formatPath, listAt, read, readAt, readString } from "../framework/values.ts";
import { CONTAINER, roleOf, VOLUME } from "../facts/docker/containers.ts";
import { isOwn } from "../facts/own-resources.ts";
import { ACL } from "../facts/tailnet/policy-file.ts";

/**
 * `protect` is what is judged: the engine does not send a policy retainOnDelete.
 *
 * The settings resource is left out on purpose. Its deletion takes back what the program says
 * anyway, and leaves domains, accounts and mail where they are. Protected it would hold on to all
 * that it depends on: `pulumi destroy --exclude-protected` would leave Stalwart, the sidecar and
 * their network running, and no change that replaces Stalwart's container could delete what depends
 * on it.
 */
export const mailDataProtected = definePolicy({
  id: "mail-data-protected",
  description:
    "What keeps the mail stack's state, and the tailnet policy file, cannot be deleted by a mere change.",
  severity: "high",
  enforcementLevel: "mandatory",
  remediation: "Set protect: true on the volumes that hold state and on the tailnet policy file.",
  url: "https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
  why: "a renamed resource or a `pulumi destroy` deletes what is not protected, and no second `up` brings its content back",
  portable: false,
  judgeStack,
});

const KEEPERS = new Map<unknown, string>([
  ["stalwart", "Stalwart"],
  ["sidecar", "the sidecar"],
  ["edge", "the edge"],
]);
const INSTEAD = "protect: true in the resource's options";

/** A place where one of the mail stack's containers keeps state. */
interface Mount {
  readonly where: string;
  readonly containerPath: string;
  /** The stack's volume there; "unknown" where it may be one of several. */
  readonly volume: PolicyResource | "unknown";
}

/** Lists that mount volumes, with their keys for the volume and for the place in the container. */
const LISTS = [
  ["volumes", "volumeName", "containerPath"],
  ["mounts", "source", "target"],
] as const;

/** A container's state: its writable volumes outside of /etc, which the program writes. */
function mountsOf(
  container: PolicyResource,
  volumes: readonly PolicyResource[],
): { mounts: Mount[]; unread: string[] } {
  const { props } = container;
  const mounts: Mount[] = [];
  const unread: string[] = [];
  for (const [list, nameKey, pathKey] of LISTS) {
    const listing = listAt(props, [list]);
    if (!listing.known) unread.push(list);
    const named = listing.entries.map(({ path }) => readString(props, [...path, nameKey]).value);
    for (const { path, entry } of listing.entries) {
      const [name, containerPath] = [
        readString(props, [...path, nameKey]),
        readString(props, [...path, pathKey]),
      ];
      const readOnly = readAt(props, [...path, "readOnly"]);
      if (/^\/etc(?:\/|$)/.test(containerPath.value ?? "") || (readOnly.known && readOnly.value === true))
        continue;
      if (!entry.known || !readOnly.known || !containerPath.known) {
        unread.push(formatPath(path));
        continue;
      }
      const where = formatPath(path);
      const volume = name.known
        ? volumes.find((one) => name.value !== undefined && nameOf(one) === name.value)
        : onlySource(container, list, volumes, named);
      // One that the stack does not make, and a host path, is none of Pulumi's to delete.
      if (volume !== undefined) mounts.push({ where, containerPath: containerPath.value ?? "", volume });
    }
  }
  return { mounts, unread };
}

function nameOf({ props }: PolicyResource): unknown {
  const name = read(props, "name");
  return name.known ? name.value : undefined;
}

/** The one volume that an unknown name can be of: it is an id, unknown until the volume exists. */
function onlySource(
  container: PolicyResource,
  list: string,
  volumes: readonly PolicyResource[],
  named: readonly unknown[],
): Mount["volume"] {
  const sources = container.propertyDependencies?.[list] ?? [];
  const open = volumes.filter(
    (volume) => sources.some(({ urn }) => urn === volume.urn) && !named.includes(nameOf(volume) ?? {}),
  );
  return open.length === 1 && open[0] ? open[0] : "unknown";
}

function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const notJudged: NotJudged[] = [];
  const findings = new Map<string, Finding>();
  const refuse = (urn: string, what: string): void =>
    void findings.set(urn, { where: "options.protect", what, instead: INSTEAD, urn });
  const volumes = resources.filter(({ type }) => type === VOLUME);
  let ours = resources.some(isOwn);

  for (const container of resources.filter(({ type }) => type === CONTAINER)) {
    const role = roleOf(container);
    if (role.known && !KEEPERS.has(role.value)) {
      ours ||= role.value !== undefined;
      continue;
    }
    const { urn } = container;
    if (!role.known) {
      notJudged.push({ ...gapAt("labels"), urn });
      continue;
    }
    ours = true;
    const { mounts, unread } = mountsOf(container, volumes);
    for (const { where, containerPath, volume } of mounts) {
      if (volume === "unknown") unread.push(where);
      else if (!volume.opts.protect)
        refuse(
          volume.urn,
          `is not set, while ${KEEPERS.get(role.value)} keeps its state there, in ${containerPath}`,
        );
    }
    notJudged.push(...unread.map((where) => ({ ...gapAt(where), urn })));
  }
  for (const { type, urn, opts } of ours ? resources : []) {
    if (type === ACL && !opts.protect)
      refuse(urn, "is not set, while every grant of the tailnet hangs on this resource");
  }
  if (!ours && notJudged.length === 0) return { notApplicable: "the stack has nothing of tailwart's" };
  return { findings: [...findings.values()], notJudged };
}
