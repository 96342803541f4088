import { gapAt } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, readAt, type Path } from "../../framework/values.ts";
import { MAIL_SETTINGS, SETTINGS } from "../own-resources.ts";
import { stalwartKeys } from "./flat-keys.ts";

/** An address or range as it is written, and where. */
export interface Written {
  readonly where: string;
  readonly text: string;
}

/** A network whose peers must send a PROXY header, on these ports as far as they are known. */
export interface Trusted extends Written {
  readonly ports: readonly number[];
}

/** A list of networks in Stalwart's settings. */
export interface NetworkList<Entry extends Written = Written> {
  readonly where: string;
  readonly entries: readonly Entry[];
  /** What could not be read of it. */
  readonly gaps: readonly NotJudged[];
}

/** What Stalwart's settings say about PROXY protocol and bans. */
export interface ProxySettings {
  readonly trust: NetworkList<Trusted>;
  /** Addresses that are never banned. */
  readonly allowed: NetworkList;
  /** Whether some listener demands PROXY headers; undefined where that is unknown at preview. */
  readonly inUse: boolean | undefined;
}

const TRUST = /^server\.(?:listener\.(.+)\.)?proxy\.trusted-networks(?:\.[^.]+)?$/;
const BIND = /^server\.listener\.(.+)\.bind(?:\.[^.]+)?$/;
const ALLOWED = "server.allowed-ip.";
/** The server's own list holds for listeners without one (config/server/listener.rs). */
const EVERY_LISTENER = "*";

function fromKeys(resource: PolicyResource): ProxySettings {
  const { values, where, gaps } = stalwartKeys(resource);
  const unread = (list: typeof gaps): NotJudged[] =>
    list.map((gap) => ({ where: gap.where, because: gap.because }));
  const maps = gaps.filter((gap) => gap.key === undefined);
  const trustGaps = gaps.filter((gap) => TRUST.test(gap.key ?? ""));
  const names = [...values.keys(), ...gaps.flatMap((gap) => gap.key ?? [])];
  const ownerOf = (key: string): string => TRUST.exec(key)?.[1] ?? EVERY_LISTENER;
  const trusting = new Set(names.filter((key) => TRUST.test(key)).map(ownerOf));
  const portsOf = (owner: string): number[] =>
    [...values].flatMap(([key, text]) => {
      const listener = BIND.exec(key)?.[1];
      const holds = owner === EVERY_LISTENER ? !trusting.has(listener ?? "") : owner === listener;
      return listener !== undefined && holds ? Number(/:(\d+)$/.exec(text.trim())?.[1] ?? 0) || [] : [];
    });
  return {
    trust: {
      where: "settings",
      entries: [...values].flatMap(([key, text]) =>
        TRUST.test(key) ? [{ where: where(key), text, ports: portsOf(ownerOf(key)) }] : [],
      ),
      gaps: unread([...maps, ...trustGaps]),
    },
    allowed: {
      where: `settings (${ALLOWED}*)`,
      // A set: each member is the end of a key, and the key's value says nothing.
      entries: names
        .filter((key) => key.startsWith(ALLOWED))
        .map((key) => ({ where: where(key), text: key.slice(ALLOWED.length) })),
      gaps: unread(maps),
    },
    inUse: trusting.size > 0 || (maps.length > 0 ? undefined : false),
  };
}

/** A list of texts in a component's args. */
function networksAt(props: unknown, path: Path): NetworkList {
  const where = formatPath(path);
  const { known, entries } = listAt(props, path);
  const gaps = entries.filter(({ entry }) => !entry.known).map((one) => gapAt(formatPath(one.path)));
  return {
    where,
    entries: entries.flatMap(({ path: at, entry }) =>
      entry.known ? [{ where: formatPath(at), text: String(entry.value) }] : [],
    ),
    gaps: known ? gaps : [gapAt(where)],
  };
}

function fromArgs({ props }: PolicyResource): ProxySettings {
  const trust = networksAt(props, ["settings", "proxyTrustedNetworks"]);
  const listeners = listAt(props, ["settings", "listeners"]);
  const ports: number[] = [];
  let unsure = !listeners.known;
  let demanded = false;
  for (const { path } of listeners.entries) {
    const proxy = readAt(props, [...path, "proxy"]);
    const port = readAt(props, [...path, "port"]);
    if (!proxy.known) unsure = true;
    else if (proxy.value !== false) {
      demanded = true;
      if (port.known && typeof port.value === "number") ports.push(port.value);
    }
  }
  const unread = trust.gaps.some((gap) => gap.where === trust.where);
  const trusting = trust.entries.length + trust.gaps.length > 0;
  const unused = !trusting || !(demanded || unsure);
  return {
    trust: { ...trust, entries: trust.entries.map((entry) => ({ ...entry, ports })) },
    allowed: networksAt(props, ["settings", "allowedIps"]),
    inUse: unused ? false : unread || !demanded ? undefined : true,
  };
}

/** PROXY trust and bans in a settings resource or component; undefined for any other type. */
export function proxyOf(resource: PolicyResource): ProxySettings | undefined {
  if (resource.type === SETTINGS) return fromKeys(resource);
  return resource.type === MAIL_SETTINGS ? fromArgs(resource) : undefined;
}
