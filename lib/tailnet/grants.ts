import type { Flow } from "./flows.ts";

/** One entry of the policy file's `grants`. A destination carries no port: ports stand in `ip`. */
export interface Grant {
  src: string[];
  dst: string[];
  ip: string[];
}

/** One entry of the policy file's `tests`. A destination is `host:port` with exactly one port. */
export interface PolicyTest {
  src: string;
  proto: "tcp";
  accept?: string[];
  deny?: string[];
}

/** What the tests need of a flow. */
type Ends = Pick<Flow, "from" | "to" | "proto" | "port">;

/**
 * SSH is open on most machines and never part of the flow table, so it shows a grant that is too
 * wide.
 */
const NEVER_GRANTED = 22;

/**
 * The grants that open exactly the given flows: one for each pair of source and destination, in the
 * table's order.
 *
 * @example
 * grantsFor([{ from: "tag:stalwart", to: "tag:mail", proto: "tcp", port: 587, why: "relay" }])
 *   // [{ src: ["tag:stalwart"], dst: ["tag:mail"], ip: ["tcp:587"] }]
 * @see https://tailscale.com/kb/1324/grants
 */
export function grantsFor(flows: readonly Ends[]): Grant[] {
  const grants = new Map<string, Grant>();
  for (const { from, to, proto, port } of flows) {
    const key = JSON.stringify([from, to]);
    const grant = grants.get(key) ?? { src: [from], dst: [to], ip: [] };
    const ip = `${proto}:${port}`;
    if (!grant.ip.includes(ip)) grant.ip.push(ip);
    grants.set(key, grant);
  }
  return [...grants.values()];
}

/** The tags that the flows name, each once, in order of appearance. */
export function tagsOf(flows: readonly Ends[]): string[] {
  return [...new Set(flows.flatMap(({ from, to }) => [from, to]).filter(isTag))];
}

/**
 * `tagOwners` entries: who may give a node each of the tags. A key cannot carry a tag that has no
 * entry here.
 *
 * @param owners users, groups, tags or autogroups; an empty list leaves it to admins and the API
 * @example tagOwnersFor(["tag:stalwart"], []) // { "tag:stalwart": [] }
 */
export function tagOwnersFor(tags: readonly string[], owners: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(tags.map((tag) => [tag, [...owners]]));
}

/**
 * `tests` that hold exactly when the flows are open and nothing else is open between their tags.
 *
 * Accepted: each flow. Denied: each port that a tag is reached on, from every other tag of the
 * table without that flow (so the opposite direction too: lesson 11), and a port that no flow
 * grants. Sources that are people (groups, users, autogroups) are left out unless asked for: what a
 * person may reach besides is not tailwart's business, and the control server cannot judge a source
 * that has no device at the moment.
 */
export function testsFor(flows: readonly Ends[], options: { people?: boolean } = {}): PolicyTest[] {
  const tags = tagsOf(flows);
  const granted = new Set(flows.map(({ from, to, port }) => JSON.stringify([from, to, port])));
  const open = (from: string, to: string, port: number) => granted.has(JSON.stringify([from, to, port]));
  const sources = [
    ...tags,
    ...(options.people ? unique(flows.map(({ from }) => from).filter((from) => !isTag(from))) : []),
  ];

  return sources.flatMap((src) => {
    const accept = unique(flows.filter(({ from }) => from === src).map(({ to, port }) => `${to}:${port}`));
    const deny = isTag(src) ? tags.filter((to) => to !== src).flatMap((to) => closedPorts(src, to)) : [];
    if (accept.length + deny.length === 0) return [];
    return [
      { src, proto: "tcp" as const, ...(accept.length > 0 && { accept }), ...(deny.length > 0 && { deny }) },
    ];
  });

  function closedPorts(from: string, to: string): string[] {
    const towards = flows.filter((flow) => flow.to === to).map(({ port }) => port);
    const opposite = flows.filter((flow) => flow.from === to && flow.to === from).map(({ port }) => port);
    return unique([...towards, ...opposite, NEVER_GRANTED].filter((port) => !open(from, to, port))).map(
      (port) => `${to}:${port}`,
    );
  }
}

function isTag(selector: string): boolean {
  return selector.startsWith("tag:");
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
