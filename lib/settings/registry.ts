/**
 * The desired state as objects of Stalwart's registry (0.16 and later), which /jmap reads and writes.
 *
 * Spellings: the schema that a 0.16.18 server serves at /api/schema. A set is an object of `true`s and a list one of numbered keys, since the
 * server refuses arrays; durations are milliseconds.
 */
import type { StalwartSettings } from "./schema.ts";

type Json = Record<string, unknown>;

/** `Object/label` of a row, or `Object` alone for a singleton → the properties that are declared. @example { "MtaRoute/smarthost": { port: 587 } } */
export type RegistryObjects = Record<string, Json>;

/** Which property names a row of an object. Objects that are not in here are singletons. */
export const LABELS: Readonly<Record<string, string>> = {
  AcmeProvider: "directory",
  AllowedIp: "address",
  DnsServer: "description",
  Domain: "name",
  MtaConnectionStrategy: "name",
  MtaRoute: "name",
  MtaTlsStrategy: "name",
  NetworkListener: "name",
  Tracer: "@type",
};

/** Name of the row that is written last: an entrypoint that finds it in the data store knows that everything before it is there. */
export const APPLIED_MARKER = "tailwart-applied";

/** A set as the registry has it. @example setOf(["mail"]) // { mail: true } */
export const setOf = (members: readonly string[]): Record<string, true> =>
  Object.fromEntries(members.map((member) => [member, true as const]));

/** A list as the registry has it. @example listOf(["a"]) // { "0": "a" } */
export const listOf = (members: readonly unknown[]): Json =>
  Object.fromEntries(members.map((member, i) => [String(i), member]));

/** A secret that the server reads from a file of its container: it reads back as it is, and lies in no database (lesson 2). */
export const secretFrom = (filePath: string): Json => ({ "@type": "File", filePath });

/**
 * Everything that the registry is to hold.
 *
 * @example toRegistryObjects(settings)["MtaRoute/smarthost"]?.["address"] === "mailbox.tail7b1641.ts.net"
 */
export function toRegistryObjects(settings: StalwartSettings): RegistryObjects {
  return {
    // Trust stands at each listener: one without would inherit a list of the server's (common/src/network/listen.rs).
    SystemSettings: { defaultHostname: settings.hostname, proxyTrustedNetworks: {} },
    ...listeners(settings),
    Security: bans(settings),
    ...Object.fromEntries(
      settings.allowedIps.map((address) => [`AllowedIp/${address}`, { address, reason: "tailwart" }]),
    ),
    ...routes(settings),
    MtaOutboundStrategy: strategies(settings),
    "Tracer/Stdout": {
      "@type": "Stdout",
      enable: true,
      level: settings.logLevel,
      ansi: false,
      buffered: false,
    },
    ...Object.fromEntries(settings.domains.map((name) => [`Domain/${name}`, domain(name)])),
    // No strategy names it.
    [`MtaConnectionStrategy/${APPLIED_MARKER}`]: { name: APPLIED_MARKER },
  };
}

function listeners(settings: StalwartSettings): RegistryObjects {
  return Object.fromEntries(
    settings.listeners.map((listener) => {
      const bind = listener.bind.includes(":") ? `[${listener.bind.replace(/[[\]]/g, "")}]` : listener.bind;
      const { name, implicitTls, protocol } = listener;
      return [
        `NetworkListener/${name}`,
        {
          name,
          bind: setOf([`${bind}:${listener.port}`]),
          protocol: protocol === "managesieve" ? "manageSieve" : protocol,
          // The API is asked inside the container, over loopback and without TLS.
          useTls: implicitTls || protocol !== "http",
          tlsImplicit: implicitTls,
          overrideProxyTrustedNetworks: setOf(listener.proxy ? settings.proxyTrustedNetworks : []),
        },
      ];
    }),
  );
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A rate such as "100/1d". @example rateOf("100/1d") // { count: 100, period: 86400000 } */
export function rateOf(rate: string | false): Json | null {
  const [, count, amount, unit = ""] = /^(\d+)\/(\d+)([smhd])$/.exec(rate || "") ?? [];
  return count === undefined ? null : { count: Number(count), period: Number(amount) * (UNITS[unit] ?? 0) };
}

function bans({ autoBan }: StalwartSettings): Json {
  return {
    authBanRate: rateOf(autoBan.auth),
    abuseBanRate: rateOf(autoBan.abuse),
    loiterBanRate: rateOf(autoBan.loiter),
    scanBanRate: rateOf(autoBan.scan),
  };
}

function routes(settings: StalwartSettings): RegistryObjects {
  const objects: RegistryObjects = {
    // The server adds its defaults only where it finds no row at all, and a relay's row would keep them out.
    "MtaTlsStrategy/default": tlsStrategy("default", "optional"),
    "MtaConnectionStrategy/default": {
      name: "default",
      connectTimeout: settings.outbound.connectTimeout * 1000,
    },
  };
  if (settings.outbound.route === "mx") {
    objects["MtaRoute/mx"] = { "@type": "Mx", name: "mx" };
    objects["MtaTlsStrategy/invalid-tls"] = {
      ...tlsStrategy("invalid-tls", "optional"),
      allowInvalidCerts: true,
    };
  }
  for (const relay of settings.relays) {
    objects[`MtaRoute/${relay.name}`] = {
      "@type": "Relay",
      name: relay.name,
      address: relay.host,
      port: relay.port,
      protocol: "smtp",
      implicitTls: relay.tls === "implicit",
      allowInvalidCerts: relay.tls === "tailnet",
      authUsername: relay.auth?.username ?? null,
      authSecret: relay.auth ? secretFrom(relay.auth.secretFile) : { "@type": "None" },
    };
    if (relay.tls !== "tailnet") {
      objects[`MtaTlsStrategy/relay-${relay.name}`] = tlsStrategy(`relay-${relay.name}`, "require");
    }
  }
  return objects;
}

/** A relay is no MX: MTA-STS and DANE of the recipient's domain say nothing about it. */
function tlsStrategy(name: string, startTls: "optional" | "require"): Json {
  const policy = startTls === "require" ? "disable" : "optional";
  return { name, startTls, allowInvalidCerts: false, dane: policy, mtaSts: policy };
}

function strategies(settings: StalwartSettings): Json {
  // Stalwart's own rule takes any certificate from the second attempt on, which would hand a relay's password to whoever stands in between.
  const verified = settings.relays
    .filter((relay) => relay.tls !== "tailnet")
    .map((relay) => ({ if: `mx == '${relay.host}'`, then: `'relay-${relay.name}'` }));
  const direct =
    settings.outbound.route === "mx"
      ? [{ if: "retry_num > 0 && last_error == 'tls'", then: "'invalid-tls'" }]
      : [];
  return {
    route: {
      match: listOf([{ if: "is_local_domain(rcpt_domain)", then: "'local'" }]),
      else: `'${settings.outbound.route}'`,
    },
    tls: { match: listOf([...verified, ...direct]), else: "'default'" },
    connection: { match: {}, else: "'default'" },
  };
}

/** Nothing is published by default: behind an edge and a relay, Stalwart's own MX and SPF records would be wrong (records.rs). */
function domain(name: string): Json {
  const manual = { "@type": "Manual" };
  return { name, certificateManagement: manual, dnsManagement: manual };
}
