import { gapAt, gapOf } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, perResource, readString, walk, type Path } from "../../framework/values.ts";
import { CONTAINER, environmentOf, mayBeGiven } from "../docker/containers.ts";
import { comesFromLocalFile, uploadsOf } from "../docker/uploads.ts";
import { isOwn } from "../own-resources.ts";
import { keysOfToml } from "../stalwart/config-file.ts";
import { isCommand, scriptsOf } from "../command-scripts.ts";
import { decodeText } from "../decoded-texts.ts";
import { relaysInPlan, relaysInText, type NamedRelay } from "./config-texts.ts";
import { besidesOf, hostsIn, portIn, relaysNamed } from "./settings.ts";

/** A host that mail is relayed to, as some resource names it. */
export interface RelayHost {
  readonly where: string;
  readonly host: string;
  readonly port: number;
  /** True when the text carries a login, and is not to be quoted. */
  readonly quiet?: true;
  readonly urn: string;
}

export interface RelayHosts {
  readonly hosts: RelayHost[];
  readonly gaps: NotJudged[];
}

const NONE: RelayHosts = { hosts: [], gaps: [] };
const merged = (parts: readonly RelayHosts[]): RelayHosts => ({
  hosts: parts.flatMap(({ hosts }) => hosts),
  gaps: parts.flatMap(({ gaps }) => gaps),
});

const relayAt = (urn: string, where: string, setting: string, host: string, beside?: string): RelayHost => ({
  where,
  host,
  port: portIn(setting, host, beside),
  ...(setting.includes("@") && { quiet: true }),
  urn,
});

const placed = ({ urn }: PolicyResource, where: string, named: readonly NamedRelay[]): RelayHost[] =>
  named.map(({ at, host, port, quiet }) => ({
    where: `${where} ${at}`,
    host,
    port,
    ...(quiet && { quiet: true }),
    urn,
  }));

function fromVariables(container: PolicyResource): RelayHosts {
  const list = listAt(container.props, ["envs"]);
  if (!list.known && mayBeGiven(container, "envs")) return { hosts: [], gaps: [gapAt("envs")] };
  const { values } = environmentOf(container);
  const hosts = [...values].flatMap(([name, value]) => {
    const where = `envs (${name})`;
    const beside = besidesOf(name).find((one) => one !== name && values.has(one));
    const port = beside === undefined ? undefined : values.get(beside);
    // A program's whole config may stand in one variable, such as GITLAB_OMNIBUS_CONFIG.
    if (/[\n;]/.test(value)) return placed(container, where, relaysInText(value));
    return relaysNamed(name, value, (other) => values.has(other)).map((host) =>
      relayAt(container.urn, where, value, host, port),
    );
  });
  const unknown = list.entries.filter(({ entry }) => !entry.known);
  return { hosts, gaps: unknown.map(({ path }) => gapAt(formatPath(path))) };
}

/** Files that may name a relay, by name; what is in others is known or does not matter. */
const MAIL_FILE =
  /(?:^|\/)(?:main\.cf|transport|msmtprc|\.msmtprc|ssmtp\.conf|smtpd\.conf|update-exim4\.conf\.conf|dma\.conf|remotes)$|stalwart[^/]*\/(?:.*\/)?config\.toml$/i;

/** A relay of Stalwart's: a route of the 0.15 line, or a remote host of the ones before. */
const ROUTE_ADDRESS = /^(?:queue\.route|remote)\.(.+)\.address$/;

/** The relays in a file or a script. */
function relaysOfText(resource: PolicyResource, where: string, text: string): RelayHost[] {
  if (/(?:queue|route|remote)\b/.test(text) && /\baddress\b/.test(text)) {
    const { values } = keysOfToml(text, where) ?? { values: new Map<string, string>() };
    const routes = [...values].flatMap(([key, host]) => {
      const stem = key.slice(0, -"address".length);
      const type = values.get(`${stem}type`) ?? "relay";
      if (!ROUTE_ADDRESS.test(key) || type !== "relay" || /%\{/.test(host)) return [];
      return [relayAt(resource.urn, `${where} ${key}`, host, host, values.get(`${stem}port`))];
    });
    if (values.size > 0) return routes;
  }
  const plan = relaysInPlan(text);
  if (plan.length > 0) return placed(resource, where, plan);
  return decodeText(where, "", text).flatMap((piece) =>
    piece.key === ""
      ? placed(resource, piece.where, relaysInText(piece.text))
      : relaysNamed(piece.key, piece.text, () => false).map((host) =>
          relayAt(resource.urn, piece.where, piece.text, host),
        ),
  );
}

function fromUploads(container: PolicyResource): RelayHosts {
  const parts = uploadsOf(container).uploads.map(({ where, file = "", text, unread }): RelayHosts => {
    if (text !== undefined) return { hosts: relaysOfText(container, where, text), gaps: [] };
    if (!MAIL_FILE.test(file)) return NONE;
    const gap = unread === "local" ? { where, because: comesFromLocalFile(file) } : gapAt(where);
    return { hosts: [], gaps: [gap] };
  });
  return merged(parts);
}

const COPY = "command:remote:CopyToRemote";

/** A text that is copied to a host. */
function fromCopy(copy: PolicyResource): RelayHosts {
  const file = readString(copy.props, ["remotePath"]).value ?? "";
  const source = readString(copy.props, ["source", "text"]);
  return source.value === undefined
    ? NONE
    : { hosts: relaysOfText(copy, `source (${file})`, source.value), gaps: [] };
}

/** What a command writes: a plan, a config file, `postconf -e "relayhost = …"`. */
function fromScripts(command: PolicyResource): RelayHosts {
  const [script] = scriptsOf(command);
  return script ? { hosts: relaysOfText(command, "the script", script.text), gaps: [] } : NONE;
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
  const texts = new Map(leaves.map(({ path, value }) => [formatPath(path), String(value)]));
  const hosts = leaves.flatMap(({ path, value }) => {
    if (typeof value !== "string" || !isRelayHost(path)) return [];
    const where = formatPath(path);
    const beside = besidesOf(where).find((place) => place !== where && texts.has(place));
    const port = beside === undefined ? undefined : texts.get(beside);
    return hostsIn(value).map((host) => relayAt(resource.urn, where, value, host, port));
  });
  const relevant = gaps.filter(
    (gap) => isRelayHost(gap.path) || /^(?:relays?|smarthosts?)$/i.test(String(gap.path.at(-1))),
  );
  return { hosts, gaps: relevant.map(gapOf) };
}

/** The relay hosts of a resource, or undefined when the resource is of a type that names none. */
export const relayHostsOf = perResource(
  (resource: PolicyResource): RelayHosts | undefined => {
    if (resource.type === CONTAINER) return merged([fromVariables(resource), fromUploads(resource)]);
    if (isCommand(resource)) return fromScripts(resource);
    if (resource.type === COPY) return fromCopy(resource);
    return isOwn(resource) ? fromArgs(resource) : undefined;
  },
  ({ props }) => props,
);
