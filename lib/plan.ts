import { withSecretFiles } from "../config/certificates.ts";
import type { Config } from "../config/schema.ts";
import { refuseUnoffered } from "../config/offered.ts";
import { toDesired } from "../config/server-settings.ts";
import { declaredLine } from "../config/stalwart-line.ts";
import { flowsOf } from "./flows.ts";
import { magicDnsName, passthroughNames } from "./names.ts";
import { ADMIN_PORT, MAIL_SERVICES } from "./services.ts";
import { parseSettings } from "./settings/parse.ts";
import { TAILNET_RANGES } from "./settings/schema.ts";
import { generationOf } from "./stalwart/line.ts";

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
  const flows = flowsOf({
    tags: tailnet.tags,
    operators: tailnet.operators,
    services,
    postgresPort: postgres.port,
    relayPort: relay.port,
  });
  const stalwartName = magicDnsName(tailnet.hostname, tailnet.domain);
  const relayHost = magicDnsName(relay.host, tailnet.domain);
  const postgresHost = magicDnsName(postgres.host, tailnet.domain);
  const store = { host: postgresHost, port: postgres.port };

  const line = declaredLine(config) ?? "0.15";
  const generation = generationOf(line);
  const { connectTimeout, allowedIps, ...server } = toDesired(config.settings);

  const settings = parseSettings({
    ...server,
    hostname: config.mailHost,
    tailnetDomain: tailnet.domain,
    listeners: [
      ...services.map((service) => ({ ...service, proxy: true })),
      { name: "admin", protocol: "http" as const, port: ADMIN_PORT, implicitTls: false, proxy: false },
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
    postgres: { ...store, database: postgres.database, user: postgres.user },
    ...(config.acme.length > 0 && { acme: config.acme }),
    ...(config.dnsProvider && { dnsProvider: withSecretFiles(config.dnsProvider) }),
    domains: [config.mailDomain],
    accounts: config.accounts.map(({ name }) => ({ name, emails: [`${name}@${config.mailDomain}`] })),
  });
  refuseUnoffered(line, settings);

  return {
    flows,
    /** What runs on which data store. */
    deployed: { line, dataStore: `${postgresHost}:${postgres.port}/${postgres.database}` },
    policy: {
      flows,
      tags: Object.values(tailnet.tags),
      tagOwners: tailnet.tagOwners,
      nodes: {
        [stalwartName]: tailnet.tags.stalwart,
        [postgresHost]: tailnet.tags.postgres,
        [relayHost]: tailnet.tags.relay,
      },
    },
    sidecar: {
      image: images.sidecar,
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
      filesImage: images.sidecar,
      watch: config.stalwart.watch,
      generation,
    },
    startUnit: { dockerHost: kvm.dockerHost, kind: kvm.startUnit, directory: kvm.startDirectory },
    settings,
    edge: {
      image: images.edge,
      dockerHost: edge.dockerHost,
      tag: tailnet.tags.edge,
      services,
      upstreamHost: stalwartName,
      passthrough: passthroughNames(config.mailHost, config.mailDomain),
      sites: edge.sites,
      certificates: edge.certificates,
      wanAddress: edge.wanAddress,
    },
    verification: {
      postgres: store,
      relay: { host: relayHost, port: relay.port },
      kvmDockerHost: kvm.dockerHost,
      edgeDockerHost: edge.dockerHost,
      node: `${tailnet.hostname} (${tailnet.tags.stalwart})`,
    },
  };
}
