import { gapAt, gapOf } from "../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../framework/policy.ts";
import { formatPath, listAt, walk, type Path } from "../framework/values.ts";
import { CONTAINER, mayBeGiven } from "./docker/containers.ts";
import { isOwn } from "./own-resources.ts";

/** A host that mail is relayed to, as some resource names it. */
export interface RelayHost {
  readonly where: string;
  readonly host: string;
  readonly urn: string;
}

export interface RelayHosts {
  readonly hosts: RelayHost[];
  readonly gaps: NotJudged[];
}

/** Docker variables named like a relay; images write a prefix of their own in front. */
const RELAY_VARIABLE = /^(?:(?:MAIL|MTA|POSTFIX|EXIM|STALWART|TAILWART)_)?(?:RELAY|SMARTHOST|SMTP_HOST$)/i;
/** Of those, the ones that hold something else than a host. */
const OTHER_THAN_HOST =
  /(?:PORT|USER|USERNAME|LOGIN|PASS|PASSWORD|SECRET|TOKEN|KEY|FILE|TLS|SSL|STARTTLS|SECURITY|AUTH|MODE|METHOD|PROTOCOL|FROM|SENDER|SENDERS|DOMAINS?|NETWORKS?|NETS|TIMEOUT|ENABLED?|ID|NAME|MAP|MAPS)$/i;

/**
 * The hosts in a relay setting: `host`, `host:port`, `[host]:port` (Postfix: no MX lookup),
 * `smtp://user:password@host:port`, also several, separated by commas, semicolons or blanks. What
 * is not a host is not returned, since it could be a secret.
 */
export function hostsIn(setting: string): string[] {
  return setting.split(/[\s,;]+/).flatMap((part) => {
    const authority = part
      .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
      .replace(/^.*@/, "")
      .replace(/[/?#].*$/, "");
    const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(authority)?.[1];
    const bare =
      bracketed ??
      (/^[^:]*::?\d*$/.test(authority) && !authority.startsWith(":")
        ? authority.replace(/:.*$/, "")
        : authority);
    return bare === "" || /^(?:true|false|yes|no|on|off|none|null|\d{1,5})$/i.test(bare) ? [] : [bare];
  });
}

function fromContainer(resource: PolicyResource): RelayHosts {
  const hosts: RelayHost[] = [];
  const gaps: NotJudged[] = [];
  const list = listAt(resource.props, ["envs"]);
  if (!list.known && mayBeGiven(resource, "envs")) return { hosts, gaps: [gapAt("envs")] };
  for (const { path, entry } of list.entries) {
    if (!entry.known) gaps.push(gapAt(formatPath(path)));
    else if (typeof entry.value === "string") {
      const [name = "", ...rest] = entry.value.split("=");
      if (!RELAY_VARIABLE.test(name) || OTHER_THAN_HOST.test(name)) continue;
      const where = `envs (${name})`;
      hosts.push(...hostsIn(rest.join("=")).map((host) => ({ where, host, urn: resource.urn })));
    }
  }
  return { hosts, gaps };
}

/** Settings may have flat keys (`queue.route.relay.address`), so each key is taken apart. */
function isRelayHost(path: Path): boolean {
  const keys = path.flatMap((key) => (typeof key === "string" ? key.split(".") : []));
  const last = keys.at(-1) ?? "";
  return (
    /^(?:relays?|smarthosts?)$/i.test(last) ||
    (/^(?:host|hosts|hostname|address)$/i.test(last) &&
      keys.slice(0, -1).some((key) => /^['"]?(?:relays?|smarthosts?|routes?)['"]?$/i.test(key)))
  );
}

function fromArgs(resource: PolicyResource): RelayHosts {
  const { leaves, gaps } = walk(resource.props);
  const hosts = leaves.flatMap(({ path, value }) =>
    typeof value === "string" && isRelayHost(path)
      ? hostsIn(value).map((host) => ({ where: formatPath(path), host, urn: resource.urn }))
      : [],
  );
  const relevant = gaps.filter(
    (gap) => isRelayHost(gap.path) || /^(?:relays?|smarthosts?)$/i.test(String(gap.path.at(-1))),
  );
  return { hosts, gaps: relevant.map(gapOf) };
}

/** The relay hosts of a resource, or undefined when the resource is of a type that names none. */
export function relayHostsOf(resource: PolicyResource): RelayHosts | undefined {
  if (resource.type === CONTAINER) return fromContainer(resource);
  return isOwn(resource) ? fromArgs(resource) : undefined;
}
