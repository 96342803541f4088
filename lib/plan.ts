import type { Config } from "../config/schema.ts";
import { flowsOf } from "./flows.ts";
import { magicDnsName, passthroughNames } from "./names.ts";
import { ADMIN_PORT, MAIL_SERVICES } from "./services.ts";
import { parseSettings } from "./settings/parse.ts";
import { TAILNET_RANGES } from "./settings/schema.ts";
import { lineOfImage } from "./stalwart/line.ts";

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

  const line = lineOfImage(images.stalwart);

  return {
    flows,
    /** What runs on which data store; an image without a version in its tag leaves the line open. */
    deployed: { ...(line && { line }), dataStore: `${postgresHost}:${postgres.port}/${postgres.database}` },
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
    stalwart: { image: images.stalwart, filesImage: images.sidecar, watch: config.stalwart.watch },
    startUnit: { dockerHost: kvm.dockerHost, kind: kvm.startUnit, directory: kvm.startDirectory },
    settings: parseSettings({
      hostname: config.mailHost,
      tailnetDomain: tailnet.domain,
      listeners: [
        ...services.map((service) => ({ ...service, proxy: true })),
        { name: "admin", protocol: "http" as const, port: ADMIN_PORT, implicitTls: false, proxy: false },
      ],
      proxyTrustedNetworks: [...TAILNET_RANGES],
      // The edge's public address is the client when the edge connects to its own public name (lesson 3).
      allowedIps: [...TAILNET_RANGES, edge.wanAddress],
      relays: [
        {
          name: ROUTE,
          host: relayHost,
          port: relay.port,
          tls: relay.tls,
          ...(relay.username ? { auth: { username: relay.username, secretFile: RELAY_PASSWORD_FILE } } : {}),
        },
      ],
      outbound: { route: ROUTE },
      postgres: { ...store, database: postgres.database, user: postgres.user },
      domains: [config.mailDomain],
      accounts: config.accounts.map(({ name }) => ({ name, emails: [`${name}@${config.mailDomain}`] })),
    }),
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
