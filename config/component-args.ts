import { isMagicDnsName } from "../lib/addresses.ts";
import type { StalwartSettings } from "../lib/desired-state/schema.ts";
import { LETS_ENCRYPT } from "../lib/acme-cas.ts";
import { dnsKeyOf } from "../lib/dns/key.ts";
import type { LeftOut } from "../lib/guards.ts";
import { MAIL_SERVICES } from "../lib/mail-services.ts";
import { generationOf } from "../lib/stalwart/release.ts";
import { type Flow, flowsOf, type PeerRole, type Servers } from "../lib/tailnet/flows.ts";
import { tagsOf } from "../lib/tailnet/grants.ts";
import { magicDnsName, passthroughNames } from "../lib/tailnet/magic-dns-name.ts";
import { targetOf } from "../lib/url-target.ts";
import { desiredState } from "./desired-state.ts";
import type { Config } from "./schema.ts";
import { declaredLine } from "./stalwart-release.ts";
import { writtenRecords } from "./written-records.ts";

/**
 * What each component gets, worked out from the config: plain values only, so that policies can
 * judge them at preview and a golden test can show them.
 */
export function componentArgs(config: Config) {
  const { tailnet, relay, postgres, edges, kvm, images, withoutGuards } = config;
  const services = config.services.map((name) => MAIL_SERVICES[name]);
  const stalwartName = magicDnsName(tailnet.hostname, tailnet.domain);
  const relayHost = magicDnsName(relay.host, tailnet.domain);
  const postgresHost = magicDnsName(postgres.host, tailnet.domain);
  const store = { host: postgresHost, port: postgres.port };
  const upstreamHost = typeof withoutGuards[6] === "string" ? withoutGuards[6] : stalwartName;
  const passthrough = passthroughNames(config.mailHost, config.domains);

  const line = declaredLine(config) ?? "0.15";
  const settings = desiredState(config, line);
  const redis = settings.inMemoryStore;
  const s3 = settings.blobStore?.endpoint === undefined ? undefined : targetOf(settings.blobStore.endpoint);
  const servers: Servers = {
    postgres: store,
    relay: { host: relayHost, port: relay.port },
    ...(redis && { redis: { host: redis.host, port: redis.port } }),
    ...(s3 && { s3: { host: s3.host, port: s3.port } }),
  };
  const peers = Object.fromEntries(
    Object.entries(servers).filter(([, { host }]) => isMagicDnsName(host, tailnet.domain)),
  ) as Partial<Servers>;
  const flows = flowsOf({ tags: tailnet.tags, operators: tailnet.operators, services, peers });

  const generation = generationOf(line);
  // Absent where it is empty: what is deployed has no word of it.
  const leftOut = Object.keys(withoutGuards).length > 0 && { withoutGuards };

  return {
    flows,
    /** What runs on which data store. */
    deployed: {
      line,
      dataStore: `${postgresHost}:${postgres.port}/${postgres.database}`,
      blobStore: placeOf(settings.blobStore),
      dockerHost: kvm.dockerHost,
    },
    policy: {
      flows: grantedFlows(flows, tailnet.tags, withoutGuards[11]),
      tags: Object.values(tailnet.tags).filter((tag) => tagsOf(flows).includes(tag)),
      tagOwners: tailnet.tagOwners,
      proxy: {
        tag: tailnet.tags.stalwart,
        edge: tailnet.tags.edge,
        ports: settings.listeners.filter(({ proxy }) => proxy).map(({ port }) => port),
      },
      nodes: tagsByName([
        [stalwartName, tailnet.tags.stalwart],
        ...Object.entries(peers).map(([role, { host }]) => [host, tailnet.tags[role as PeerRole]] as const),
      ]),
    },
    /** What is pulled before anything changes, by host. */
    images: {
      kvm: { anchor: images.anchor, sidecar: images.sidecar, stalwart: images.stalwart },
      edge: { edge: images.edge },
    },
    sidecar: {
      image: images.sidecar,
      anchorImage: images.anchor,
      dockerHost: kvm.dockerHost,
      hostname: tailnet.hostname,
      tag: tailnet.tags.stalwart,
      identity: tailnet.identity,
      controlUrl: tailnet.controlUrl,
      env: tailnet.env,
      postgres: store,
      ...leftOut,
    },
    /** How settings are reached in this line. */
    generation,
    stalwart: {
      image: images.stalwart,
      filesImage: images.anchor,
      dockerHost: kvm.dockerHost,
      watch: !withoutGuards[16],
      ...leftOut,
      env: config.stalwart.env,
      generation,
    },
    startUnit: { dockerHost: kvm.dockerHost, kind: kvm.startUnit },
    settings,
    dns: {
      domains: settings.domains.map(({ name }) => name),
      selectors: settings.dkim,
      egress: relay.egress,
      acmeAccounts: config.dns.acmeAccounts,
      servers: config.dns.servers,
      written: writtenRecords(config),
    },
    /** Tried before Stalwart is given it (lesson 2); other providers' keys are not. */
    dnsKey: withoutGuards[2] ? undefined : dnsKeyOf(settings),
    /** Whether a first deploy may write over what somebody else has set up. */
    takeOver: config.settings.takeOver,
    /** Each edge: what its resources are called by, what Caddy gets, and what it must resolve. */
    edges: edges.map(({ name, ...edge }) => ({
      name,
      caddy: {
        image: images.edge,
        dockerHost: edge.dockerHost,
        tag: tailnet.tags.edge,
        services,
        ...leftOut,
        upstreamHost,
        passthrough,
        sites: edge.sites,
        fallback: edge.fallback,
        certificates: edge.certificates,
        wanAddress: edge.wanAddress,
      },
      names: {
        magicDns: stalwartName,
        // What the edge needs of the internet: the CA of its own sites, Caddy's default
        // (https://caddyserver.com/docs/json/apps/tls/automation/policies/issuers/acme/ca/); else
        // the name that mail is sent to.
        public: edge.certificates === "acme" ? new URL(LETS_ENCRYPT).host : config.mailHost,
      },
    })),
    services,
    upstreamHost,
    passthrough,
    /** Whether a deploy ends with a dial of the relay from Stalwart's namespace. */
    dialsRelay: !withoutGuards[8] && !withoutGuards[11],
    ...leftOut,
    verification: {
      ...servers,
      kvmDockerHost: kvm.dockerHost,
      node: `${tailnet.hostname} (${tailnet.tags.stalwart})`,
    },
  };
}

/**
 * The flows that are granted: all, or without lesson 11's guard the relay's turned around, or left
 * out.
 */
function grantedFlows(
  flows: Flow[],
  { stalwart, relay }: Config["tailnet"]["tags"],
  instead: LeftOut[string],
): Flow[] {
  if (instead === undefined) return flows;
  const others = flows.filter(({ from, to }) => from !== stalwart || to !== relay);
  const turned = flows
    .filter((flow) => !others.includes(flow))
    .map((flow) => ({ ...flow, from: flow.to, to: flow.from }));
  return instead === "none" ? others : [...others, ...turned];
}

/**
 * @example
 * placeOf({ region: "us-east-1", endpoint: "https://s3.tail.test", bucket: "mail", keyPrefix: "a/"
 *   })
 * // "https://s3.tail.test/mail/a/"
 */
const placeOf = (store: StalwartSettings["blobStore"]): string =>
  store ? `${store.endpoint ?? store.region}/${store.bucket}/${store.keyPrefix ?? ""}` : "postgres";

/**
 * The tags of each name: one machine may be several servers, and then it carries the tag of each.
 */
function tagsByName(pairs: (readonly [name: string, tag: string])[]): Record<string, string[]> {
  const tags: Record<string, string[]> = {};
  for (const [name, tag] of pairs) (tags[name] ??= []).push(tag);
  return tags;
}
