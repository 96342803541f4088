/** The desired state of the stack's Stalwart, written by the rest of the config. */
import { TAILNET_RANGES } from "../lib/address-ranges.ts";
import { parseSettings } from "../lib/desired-state/parse.ts";
import type { StalwartSettings } from "../lib/desired-state/schema.ts";
import { refusalsFor } from "../lib/desired-state/unsupported.ts";
import { splitAddress } from "../lib/email-address.ts";
import { UserError } from "../lib/errors.ts";
import type { LeftOut } from "../lib/guards.ts";
import { ADMIN_PORT, MAIL_SERVICES, WATCH_LISTENER } from "../lib/mail-services.ts";
import { SECRET_DIRECTORY } from "../lib/stalwart/paths.ts";
import { generationOf, type Line } from "../lib/stalwart/release.ts";
import { magicDnsName } from "../lib/tailnet/magic-dns-name.ts";
import { withSecretFiles } from "./schema/certificates.ts";
import { keyPath } from "./key-path.ts";
import type { Config } from "./schema.ts";
import type { ServerSettings } from "./schema/server-settings.ts";

/** The relay's route in Stalwart. */
const ROUTE = "smarthost";
/** Where Stalwart finds the relay's password. */
const RELAY_PASSWORD_FILE = "/etc/stalwart/secrets/relay";

/**
 * What the server is to hold, with the machines of the tailnet by their full names.
 *
 * @throws UserError that names each key of the config that the line does not offer, why, and what
 *   it accepts instead
 * @example desiredState(config, "0.16").hostname === "mail.example.org"
 */
export function desiredState(config: Config, line: Line): StalwartSettings {
  const { tailnet, relay, postgres, edges, withoutGuards } = config;
  const { connectTimeout, allowedIps, mtaSts, ...server } = toDesired(config.settings, tailnet.domain);
  const services = config.services.map((name) => MAIL_SERVICES[name]);
  const wan = edges.map(({ wanAddress }) => wanAddress);
  const mailHosts = [...new Set([config.mailHost, ...config.domains.flatMap(({ hosts }) => hosts)])];

  const nameOf = (address: string) => accountName(address, config.domains[0]?.name ?? "");
  const mailbox = ({ address, aliases, quota }: Config["accounts"][number]) => ({
    name: nameOf(address),
    emails: [address, ...aliases],
    ...(quota !== undefined && { quota }),
  });

  const settings = parseSettings(
    {
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
      // An edge's public address is the client when it connects to the public name (lesson 3).
      allowedIps: [...new Set([...(withoutGuards[3] ? [] : [...TAILNET_RANGES, ...wan]), ...allowedIps])],
      relays: [
        {
          name: ROUTE,
          host: magicDnsName(relay.host, tailnet.domain),
          port: relay.port,
          tls: relay.tls,
          ...(relay.username ? { auth: { username: relay.username, secretFile: RELAY_PASSWORD_FILE } } : {}),
        },
      ],
      outbound: { route: routeWithout(withoutGuards), connectTimeout },
      postgres: { ...postgres, host: magicDnsName(postgres.host, tailnet.domain) },
      ...(config.acme.length > 0 && { acme: config.acme }),
      ...stalwartsProvider(config, line),
      mtaSts: { ...mtaSts, mx: mtaSts.mx.length > 0 ? mtaSts.mx : mailHosts },
      domains: config.domains.map(({ hosts: _, dmarc: __, ...domain }) => domain),
      dkim: config.dkim.selectors.map(({ name, use, algorithm }) => ({
        selector: name,
        use,
        // Absent for RSA: what is deployed has no word of it.
        ...(algorithm !== "rsa" && { algorithm }),
        keyFile: `${SECRET_DIRECTORY}dkim-${name}`,
      })),
      accounts: config.accounts.map(mailbox),
      groups: config.groups.map((group) => ({ ...mailbox(group), members: group.members.map(nameOf) })),
      lists: config.lists,
    },
    withoutGuards,
  );
  refuseUnoffered(line, settings, config.settings.takeOver);
  return settings;
}

/** One that the line does not know is none of Stalwart's where only the stack writes there. */
function stalwartsProvider({ dnsProvider, dns, acme }: Config, line: Line) {
  const proves = acme.some(({ challenge }) => challenge === "dns-01");
  const isTheStacks = line === "0.15" && dnsProvider?.type === "spaceship" && dns.write && !proves;
  return dnsProvider && !isTheStacks ? { dnsProvider: withSecretFiles(dnsProvider) } : {};
}

/** Where mail for elsewhere goes: by the relay, unless that guard is left out. */
function routeWithout(withoutGuards: LeftOut): string {
  if (typeof withoutGuards[14] === "string") return withoutGuards[14];
  return withoutGuards[9] || withoutGuards[10] ? "mx" : ROUTE;
}

/** Where Stalwart finds the blob store's secret access key. */
const BLOB_STORE_SECRET_FILE = `${SECRET_DIRECTORY}s3`;

/** Where Stalwart finds the in-memory store's password. */
const IN_MEMORY_STORE_SECRET_FILE = `${SECRET_DIRECTORY}redis`;

/** The same in the desired state's own shape, machines of the tailnet by their full names. */
function toDesired(
  { blobStore: blobs, inMemoryStore: memory, takeOver: _, ...rest }: ServerSettings,
  tailnetDomain: string,
) {
  return {
    ...rest,
    ...(blobs && { blobStore: toBlobStore(blobs, tailnetDomain) }),
    ...(memory && { inMemoryStore: toInMemoryStore(memory, tailnetDomain) }),
  };
}

function toBlobStore(
  { endpoint, ...store }: NonNullable<ServerSettings["blobStore"]>,
  tailnetDomain: string,
) {
  const full = endpoint?.replace(/(?<=:\/\/)[^:[]+/, (host) => magicDnsName(host, tailnetDomain));
  return { ...store, ...(full !== undefined && { endpoint: full }), secretFile: BLOB_STORE_SECRET_FILE };
}

function toInMemoryStore(
  { username, ...store }: NonNullable<ServerSettings["inMemoryStore"]>,
  tailnetDomain: string,
) {
  const login = username !== undefined && { auth: { username, secretFile: IN_MEMORY_STORE_SECRET_FILE } };
  return { ...store, host: magicDnsName(store.host, tailnetDomain), ...login };
}

/**
 * What an account is called by, in the state and, on the 0.15 line, in its login: in the first
 * domain what is before the @, as it was when there was one domain.
 *
 * @example accountName("alice@example.org", "example.org") === "alice"
 */
const accountName = (own: string, firstDomain: string): string =>
  own.endsWith(`@${firstDomain.toLowerCase()}`) ? splitAddress(own)[0] : own;

/**
 * Parts of the desired state that are keys of their own in the config; the rest stands below
 * `settings`.
 */
const OWN_KEYS = new Set<string | number | undefined>([
  "acme",
  "dnsProvider",
  "accounts",
  "domains",
  "groups",
]);

/**
 * Refuses what the stack's line of Stalwart does not offer, before anything is registered.
 *
 * @param takeOver the config's settings.takeOver, which is no part of the desired state
 * @throws UserError that names each key of the config, why, and what is accepted instead
 */
function refuseUnoffered(line: Line, settings: StalwartSettings, takeOver: boolean): void {
  const generation = generationOf(line);
  const refusals = refusalsFor(generation, settings).map(({ path, message }) => ({
    path: keyPath(inConfig(path)),
    message,
  }));
  if (takeOver && generation === "keys")
    refusals.push({
      path: keyPath(["settings", "takeOver"]),
      message:
        "a first deploy of the 0.15 line writes over what is there, and asks nobody; accepts false: leave it out",
    });
  const [first] = refusals;
  if (!first) return;
  const lines = refusals.map(({ path, message }) => `  ${path}: ${message}`);
  throw new UserError(
    `The stack's config asks for what Stalwart ${line} does not offer; nothing was changed.\n${lines.join("\n")}`,
    { path: first.path },
  );
}

/**
 * Where the config has a field of the desired state; an account's own address and its others are
 * two keys, a login at Redis one.
 */
function inConfig(path: (string | number)[]): (string | number)[] {
  const [list, index = 0, field, place] = path;
  if ((list === "accounts" || list === "groups") && field === "emails")
    return place === 0 ? [list, index, "address"] : [list, index, "aliases", Number(place) - 1];
  if (list === "inMemoryStore" && index === "auth") return ["settings", list, "username"];
  if (list === "dkim") return ["dkim", "selectors", index, field === "selector" ? "name" : (field ?? "use")];
  return OWN_KEYS.has(list) ? path : ["settings", ...path];
}
