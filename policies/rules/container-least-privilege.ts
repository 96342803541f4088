import { merge, PASS, refuse, unjudged, unknown } from "../framework/judgement.ts";
import { refuseUnknownKeys, wrongSetting } from "../framework/policy-settings.ts";
import { definePolicy, type Judgement, type PolicyResource } from "../framework/policy.ts";
import { formatPath, listAt, read, readString, type Path } from "../framework/values.ts";
import { CONTAINER } from "../facts/docker/containers.ts";
import { dangerOf, hostPathsOf, isFineDevice, type HostPath } from "../facts/docker/host-access.ts";

const ID = "container-least-privilege";

export const containerLeastPrivilege = definePolicy<LeastPrivilegeSettings>({
  id: ID,
  description:
    "A container has no more of its host than it needs: no engine socket, no host namespace, no spare capability.",
  severity: "high",
  enforcementLevel: "mandatory",
  remediation:
    "Drop all capabilities and add the few that are needed; mount named volumes, no part of the host; run as a user of its own.",
  url: "https://docs.docker.com/engine/security/",
  why: "who breaks into such a container has the host, and with it every other container's mail and keys",
  settings: {
    schema: {
      properties: {
        allowedCapabilities: {
          type: "array",
          items: { type: "string" },
          description:
            "Capabilities that a container may add to Docker's own set, with or without CAP_. Unset: NET_ADMIN, NET_RAW, NET_BIND_SERVICE.",
        },
      },
    },
    parse: parseLeastPrivilegeSettings,
  },
  portable: true,
  resourceTypes: [CONTAINER],
  judgeResource: judge,
});

/**
 * What every container has that says nothing. Who drops all and adds some of these back, as the
 * entrypoints of database images need it, has less than that.
 */
const DOCKERS_OWN: readonly string[] = [
  ...["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"],
  ...["NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
];

export interface LeastPrivilegeSettings {
  /** Without CAP_, in capitals. */
  readonly allowedCapabilities: readonly string[];
}

/** @example capability("cap_net_admin") === "NET_ADMIN" */
const capability = (name: string): string => name.toUpperCase().replace(/^CAP_/, "");

/** Checks the policy's config; throws a sentence that names the key's path. */
export function parseLeastPrivilegeSettings(raw: Record<string, unknown>): LeastPrivilegeSettings {
  refuseUnknownKeys(ID, raw, ["allowedCapabilities"]);
  const { allowedCapabilities: allowed = ["NET_ADMIN", "NET_RAW", "NET_BIND_SERVICE"] } = raw;
  const isCapability = (value: unknown): boolean => typeof value === "string" && /^[A-Z_]+$/i.test(value);
  if (!Array.isArray(allowed) || !allowed.every(isCapability))
    throw wrongSetting(`${ID}.allowedCapabilities`, "a list of Linux capabilities", '["NET_ADMIN"]');
  return { allowedCapabilities: (allowed as string[]).map(capability) };
}

/** Judges each known text of a list. */
function judgeTexts(
  props: PolicyResource["props"],
  list: Path,
  rule: (text: string, where: string) => Judgement,
): Judgement {
  const { known, entries } = listAt(props, list);
  return merge(
    known ? PASS : unknown(formatPath(list)),
    ...entries.map(({ path, entry }) => {
      if (!entry.known) return unknown(formatPath(path));
      return typeof entry.value === "string" ? rule(entry.value, formatPath(path)) : PASS;
    }),
  );
}

function judgePrivileged({ props }: PolicyResource): Judgement {
  const privileged = read(props, "privileged");
  if (!privileged.known) return unknown("privileged");
  if (privileged.value !== true) return PASS;
  return refuse({
    where: "privileged",
    what: "gives the container all of the host",
    instead: "the capabilities and devices that it needs",
  });
}

/** The host's own namespaces, without the network: an edge has to see its clients' addresses. */
const NAMESPACES = {
  pidMode: "shows the container the host's processes",
  ipcMode: "shares the host's memory segments",
  usernsMode: "makes the container's root the host's root",
};

function judgeNamespaces({ props }: PolicyResource): Judgement {
  return merge(
    ...Object.entries(NAMESPACES).map(([input, what]) => {
      const mode = readString(props, [input]);
      if (!mode.known) return unknown(input);
      return mode.value === "host" ? refuse({ where: input, what, instead: `no ${input}` }) : PASS;
    }),
  );
}

function judgeCapabilities({ props }: PolicyResource, allowed: readonly string[]): Judgement {
  return judgeTexts(props, ["capabilities", "adds"], (text, where) => {
    if ([...allowed, ...DOCKERS_OWN].includes(capability(text))) return PASS;
    const what = `adds ${capability(text)}, a capability that is not among the allowed ones`;
    const instead = `one of ${allowed.join(", ")}, or a longer list in ${ID}.allowedCapabilities`;
    return refuse({ where, what, instead });
  });
}

function judgeDevices({ props }: PolicyResource): Judgement {
  const devices = listAt(props, ["devices"]);
  return merge(
    devices.known ? PASS : unknown("devices"),
    ...devices.entries.map(({ path }) => {
      const host = readString(props, [...path, "hostPath"]);
      const where = `${formatPath(path)}.hostPath`;
      if (!host.known) return unknown(where);
      if (isFineDevice(host.value ?? "")) return PASS;
      const instead = "/dev/net/tun, a GPU, a serial line on USB, or no device";
      return refuse({ where, what: "hands over a device of the host", instead });
    }),
  );
}

function judgeSecurityOptions({ props }: PolicyResource): Judgement {
  return judgeTexts(props, ["securityOpts"], (text, where) => {
    if (!/^(?:\w+[=:])?unconfined$|^label[=:]disable$/.test(text)) return PASS;
    const what = "turns a protection of the kernel off";
    return refuse({ where, what, instead: "no-new-privileges:true, or a profile of its own" });
  });
}

function judgeHostPath({ where, path }: HostPath): Judgement {
  if (path === undefined) return unknown(where);
  const what = dangerOf(path);
  if (what === undefined) return PASS;
  return refuse({ where, what, instead: "a named volume, or the one file that is needed, read-only" });
}

/**
 * Root without need: a container that is set to run as root and keeps Docker's default
 * capabilities. Root with `drops: ["ALL"]` has only what is added.
 */
function judgeRoot({ props }: PolicyResource): Judgement {
  const drops = listAt(props, ["capabilities", "drops"]);
  if (drops.entries.some(({ entry }) => entry.known && capability(String(entry.value)) === "ALL"))
    return PASS;
  const user = readString(props, ["user"]);
  if (!user.known) return unknown("user");
  if (!user.value)
    return unjudged({
      where: "user",
      because:
        "is not set, and the image's own cannot be seen here; with it go Docker's default capabilities",
    });
  if (!/^(?:root|0+)(?::|$)/.test(user.value)) return PASS;
  const open = drops.entries.find(({ entry }) => !entry.known);
  if (open || !drops.known) return unknown(formatPath(open?.path ?? ["capabilities", "drops"]));
  return refuse({
    where: "user",
    what: "is root with all of Docker's default capabilities",
    instead: 'another user, or capabilities: { drops: ["ALL"], adds: [what it needs] }',
  });
}

function judge(container: PolicyResource, { allowedCapabilities }: LeastPrivilegeSettings): Judgement {
  return merge(
    judgePrivileged(container),
    judgeNamespaces(container),
    judgeCapabilities(container, allowedCapabilities),
    judgeDevices(container),
    judgeSecurityOptions(container),
    ...hostPathsOf(container).map(judgeHostPath),
    judgeRoot(container),
  );
}
