import { unknownAt } from "../framework/judgement.ts";
import { definePolicy, type Finding, type Judgement, type NotJudged, type Subject } from "../framework/policy.ts";
import { CONTAINER, listAt, type Listing } from "../facts/docker/containers.ts";
import { dangerOf, hostPathsOf } from "../facts/docker/host-access.ts";
import { refuseUnknownKeys, wrongSetting } from "../framework/policy-settings.ts";
import { formatPath, read, readString, type Path } from "../framework/values.ts";

const ID = "container-least-privilege";

export const containerLeastPrivilege = definePolicy<LeastPrivilegeSettings>({
  id: ID,
  description:
    "A container has no more of its host than it needs: no engine socket, no host namespace, no spare capability.",
  severity: "high",
  level: "mandatory",
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
            "Capabilities that a container may add, with or without CAP_. Unset: NET_ADMIN, NET_RAW, NET_BIND_SERVICE.",
        },
      },
    },
    parse: parseLeastPrivilegeSettings,
  },
  anyStack: true,
  resourceTypes: [CONTAINER],
  judgeResource: judge,
});

const TUN = "/dev/net/tun";

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

/**
 * Collects what is wrong and what is unknown while the rules below read the container one by one.
 */
class Collected implements Judgement {
  readonly findings: Finding[] = [];
  readonly notJudged: NotJudged[] = [];
  readonly props: Subject["props"];
  constructor(props: Subject["props"]) {
    this.props = props;
  }
  refuse(where: string, what: string, instead: string): void {
    this.findings.push({ where, what, instead });
  }
  unknown(where: string): void {
    this.notJudged.push(unknownAt(where));
  }
  /** Hands each known text of a list to a rule. */
  texts(list: Listing, path: Path, rule: (text: string, where: string) => void): void {
    if (!list.known) this.unknown(formatPath(path));
    for (const { path: place, read: entry } of list.entries) {
      if (!entry.known) this.unknown(formatPath(place));
      else if (typeof entry.value === "string") rule(entry.value, formatPath(place));
    }
  }
}

function judgePrivileged(verdict: Collected): void {
  const privileged = read(verdict.props, "privileged");
  if (!privileged.known) verdict.unknown("privileged");
  else if (privileged.value === true)
    verdict.refuse(
      "privileged",
      "gives the container all of the host",
      "the capabilities and devices that it needs",
    );
}

/**
 * Namespaces that are the host's own. The network is not among them: an edge has to see its
 * clients' addresses.
 */
function judgeNamespaces(verdict: Collected): void {
  for (const [input, what] of [
    ["pidMode", "shows the container the host's processes"],
    ["ipcMode", "shares the host's memory segments"],
    ["usernsMode", "makes the container's root the host's root"],
  ] as const) {
    const mode = readString(verdict.props, [input]);
    if (!mode.known) verdict.unknown(input);
    else if (mode.value === "host") verdict.refuse(input, what, `no ${input}`);
  }
}

function judgeCapabilities(verdict: Collected, allowed: readonly string[]): void {
  const path = ["capabilities", "adds"];
  verdict.texts(listAt(verdict.props, path), path, (text, where) => {
    if (allowed.includes(capability(text))) return;
    const what = "adds a capability that is not among the allowed ones";
    verdict.refuse(
      where,
      what,
      `one of ${allowed.join(", ")}, or a longer list in ${ID}.allowedCapabilities`,
    );
  });
}

function judgeDevices(verdict: Collected): void {
  const devices = listAt(verdict.props, ["devices"]);
  if (!devices.known) verdict.unknown("devices");
  for (const { path } of devices.entries) {
    const host = readString(verdict.props, [...path, "hostPath"]);
    const where = `${formatPath(path)}.hostPath`;
    if (!host.known) verdict.unknown(where);
    else if (host.value !== TUN)
      verdict.refuse(where, "hands over a device of the host", `${TUN} or no device`);
  }
}

function judgeSecurityOptions(verdict: Collected): void {
  verdict.texts(listAt(verdict.props, ["securityOpts"]), ["securityOpts"], (text, where) => {
    if (!/^(?:\w+[=:])?unconfined$|^label[=:]disable$/.test(text)) return;
    verdict.refuse(
      where,
      "turns a protection of the kernel off",
      "no-new-privileges:true, or a profile of its own",
    );
  });
}

function judgeHostPaths(verdict: Collected, subject: Subject): void {
  for (const { where, path } of hostPathsOf(subject)) {
    const danger = path === undefined ? undefined : dangerOf(path);
    if (path === undefined) verdict.unknown(where);
    else if (danger !== undefined)
      verdict.refuse(where, danger, "a named volume, or the one file that is needed, read-only");
  }
}

/**
 * Root without need: a container that is told to run as root and keeps Docker's default
 * capabilities. Root with `drops: ["ALL"]` has only what is added, and what an image runs as when
 * nothing is told cannot be seen here: neither is judged.
 */
function judgeRoot(verdict: Collected): void {
  const drops = listAt(verdict.props, ["capabilities", "drops"]);
  if (drops.entries.some(({ read: entry }) => entry.known && capability(String(entry.value)) === "ALL"))
    return;
  const user = readString(verdict.props, ["user"]);
  if (user.known && !/^(?:root|0+)(?::|$)/.test(user.value ?? "")) return;
  if (!user.known) return verdict.unknown("user");
  const unknown = drops.entries.find(({ read: entry }) => !entry.known);
  if (unknown || !drops.known) return verdict.unknown(formatPath(unknown?.path ?? ["capabilities", "drops"]));
  verdict.refuse(
    "user",
    "is root with all of Docker's default capabilities",
    'another user, or capabilities: { drops: ["ALL"], adds: [what it needs] }',
  );
}

function judge(subject: Subject, { allowedCapabilities }: LeastPrivilegeSettings): Judgement {
  const verdict = new Collected(subject.props);
  judgePrivileged(verdict);
  judgeNamespaces(verdict);
  judgeCapabilities(verdict, allowedCapabilities);
  judgeDevices(verdict);
  judgeSecurityOptions(verdict);
  judgeHostPaths(verdict, subject);
  judgeRoot(verdict);
  return verdict;
}
