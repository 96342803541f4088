import { withSecretFiles } from "../config/certificates.ts";
import { accountName } from "../config/mailboxes.ts";
import type { Config } from "../config/schema.ts";
import { refuseUnoffered } from "../config/offered.ts";
import { toDesired } from "../config/server-settings.ts";
import { declaredLine } from "../config/stalwart-line.ts";
import { TAILNET_RANGES } from "./address-ranges.ts";
import { isMagicDnsName } from "./addresses.ts";
import { flowsOf, type PeerRole, type Servers } from "./flows.ts";
import { magicDnsName, passthroughNames } from "./names.ts";
import { ADMIN_PORT, MAIL_SERVICES, WATCH_LISTENER } from "./services.ts";
import { parseSettings } from "./settings/parse.ts";
import type { StalwartSettings } from "./settings/schema.ts";
import { generationOf } from "./stalwart/line.ts";
import { tagsOf } from "./tailnet/flows.ts";
import { targetOf } from "./url-target.ts";

/** Host of Caddy's default CA: https://caddyserver.com/docs/json/apps/tls/automation/policies/issuers/acme/ca/ */
const ACME_HOST = "acme-v02.api.letsencrypt.org";
/** The relay's route in Stalwart. */
const ROUTE = "smarthost";
/** Where Stalwart finds the relay's password. */
const RELAY_PASSWORD_FILE = "/etc/stalwart/secrets/relay";

/**
 * What each component gets, worked out from the config: plain values only, so that policies can judge them at
 * preview and a golden test can show them.
 */
export function planOf(config: Config) {
  const { tailnet, relay, postgres, edge, kvm, images } = config;
  const services = config.services.map((name) => MAIL_SERVICES[name]);
  const stalwartName = magicDnsName(tailnet.hostname, tailnet.domain);
  const relayHost = magicDnsName(relay.host, tailnet.domain);
  const postgresHost = magicDnsName(postgres.host, tailnet.domain);
  const store = { host: postgresHost, port: postgres.port };

  const line = declaredLine(config) ?? "0.15";
  const generation = generationOf(line);
  const { connectTimeout, allowedIps, mtaSts, ...server } = toDesired(config.settings, tailnet.domain);
  const redis = server.inMemoryStore;
  const s3 = server.blobStore?.endpoint === undefined ? undefined : targetOf(server.blobStore.endpoint);
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
  const mailHosts = [...new Set([config.mailHost, ...config.domains.flatMap(({ hosts }) => hosts)])];

  const nameOf = (address: string) => accountName(address, config.domains[0]?.name ?? "");
  const mailbox = ({ address, aliases, quota }: Config["accounts"][number]) => ({
    name: nameOf(address),
    emails: [address, ...aliases],
    ...(quota !== undefined && { quota }),
  });

  const settings = parseSettings({
    ...server,
    hostname: config.mailHost,
    tailnetDomain: tailnet.domain,
    listeners: [
      ...services.map((service) => ({ ...service, proxy: true })),
      {
        name: "admin",
        protocol: "http" as const,
        port: ADMIN_PORT,
        implicitTls: false,
        proxy: false,
        management: true,
      },
      WATCH_LISTENER,
    ],
    proxyTrustedNetworks: [...TAILNET_RANGES],
    // The edge's public address is the client when the edge connects to its own public name (lesson 3).
    allowedIps: [...new Set([...TAILNET_RANGES, edge.wanAddress, ...allowedIps])],
    relays: [
      {
        name: ROUTE,
        host: relayHost,
        port: relay.port,
        tls: relay.tls,
        ...(relay.username ? { auth: { username: relay.username, secretFile: RELAY_PASSWORD_FILE } } : {}),
      },
    ],
    outbound: { route: ROUTE, connectTimeout },
    postgres: { ...store, database: postgres.database, user: postgres.user, tls: postgres.tls },
    ...(config.acme.length > 0 && { acme: config.acme }),
    ...(config.dnsProvider && { dnsProvider: withSecretFiles(config.dnsProvider) }),
    mtaSts: { ...mtaSts, mx: mtaSts.mx.length > 0 ? mtaSts.mx : mailHosts },
    domains: config.domains.map(({ hosts: _, ...domain }) => domain),
    accounts: config.accounts.map(mailbox),
    groups: config.groups.map((group) => ({ ...mailbox(group), members: group.members.map(nameOf) })),
    lists: config.lists,
  });
  refuseUnoffered(line, settings, config.settings.takeOver);

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
      flows,
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
    },
    /** How settings are reached in this line. */
    generation,
    stalwart: {
      image: images.stalwart,
      filesImage: images.anchor,
      dockerHost: kvm.dockerHost,
      watch: config.stalwart.watch,
      env: config.stalwart.env,
      generation,
    },
    startUnit: { dockerHost: kvm.dockerHost, kind: kvm.startUnit },
    settings,
    /** Whether a first deploy may write over what somebody else has set up. */
    takeOver: config.settings.takeOver,
    edge: {
      image: images.edge,
      dockerHost: edge.dockerHost,
      tag: tailnet.tags.edge,
      services,
      upstreamHost: stalwartName,
      passthrough: passthroughNames(config.mailHost, config.domains),
      sites: edge.sites,
      fallback: edge.fallback,
      certificates: edge.certificates,
      wanAddress: edge.wanAddress,
    },
    verification: {
      ...servers,
      kvmDockerHost: kvm.dockerHost,
      edgeDockerHost: edge.dockerHost,
      edgeNames: {
        magicDns: stalwartName,
        // What the edge needs of the internet: the CA of its own sites; else the name that mail is sent to.
        public: edge.certificates === "acme" ? ACME_HOST : config.mailHost,
      },
      node: `${tailnet.hostname} (${tailnet.tags.stalwart})`,
    },
  };
}

/** @example placeOf({ region: "us-east-1", endpoint: "https://s3.tail.test", bucket: "mail", keyPrefix: "a/" }) // "https://s3.tail.test/mail/a/" */
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
