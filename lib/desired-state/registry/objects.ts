/**
 * The desired state as objects of Stalwart's registry (0.16 and later), which /jmap reads and
 * writes.
 */
import { sourceOf } from "../downloads.ts";
import { endpointRules, REFUSED } from "../endpoints.ts";
import { refuseFor } from "../unsupported.ts";
import { domainObjects } from "./domains.ts";
import {
  durationOf,
  type Json,
  listOf,
  networkOf,
  rateOf,
  reference,
  type RegistryObjects,
  secretFrom,
  setOf,
} from "./spelling.ts";
import { storeObjects } from "./stores.ts";
import type { StalwartSettings } from "../schema.ts";
import { LOGIN_REQUIRED, RELAYING } from "../submission.ts";

export type { RegistryObjects } from "./spelling.ts";

/**
 * Which property names a row of an object; a list's the server puts together itself, and a
 * signature's selector is one for each domain, whose name follows it. Objects that are not in here
 * are singletons.
 */
export const LABELS: Readonly<Record<string, string>> = {
  AcmeProvider: "directory",
  AllowedIp: "address",
  Application: "description",
  DkimSignature: "selector",
  DnsServer: "description",
  Domain: "name",
  MailingList: "emailAddress",
  MtaConnectionStrategy: "name",
  MtaRoute: "name",
  MtaTlsStrategy: "name",
  NetworkListener: "name",
  Tracer: "@type",
};

/**
 * Name of the row that is written last: an entrypoint that finds it in the data store knows that
 * everything before it is there.
 */
export const APPLIED_MARKER = "tailwart-applied";

/**
 * Everything that the registry is to hold.
 *
 * @throws UserError for what the registry does not offer
 * @example
 * toRegistryObjects(settings)["MtaRoute/smarthost"]?.["address"] === "mailbox.tail7b1641.ts.net"
 */
export function toRegistryObjects(settings: StalwartSettings): RegistryObjects {
  refuseFor("registry", settings);
  return {
    // Trust stands at each listener: one without would inherit a list of the server's
    // (common/src/network/listen.rs).
    SystemSettings: {
      defaultHostname: settings.hostname,
      defaultDomainId: reference(`Domain/${settings.domains[0]?.name ?? ""}`),
      proxyTrustedNetworks: {},
    },
    ...storeObjects(settings),
    ...listeners(settings),
    Http: { allowedEndpoints: expression(endpointRules(settings, "path"), REFUSED) },
    MtaStageAuth: { require: expression(LOGIN_REQUIRED.rules, LOGIN_REQUIRED.otherwise) },
    MtaStageRcpt: { allowRelaying: expression(RELAYING.rules, RELAYING.otherwise) },
    Security: bans(settings),
    ...Object.fromEntries(
      allowed(settings)
        .map(networkOf)
        .map((address) => [`AllowedIp/${address}`, { address, reason: "tailwart" }]),
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
    ...downloads(settings),
    ...domainObjects(settings),
    // No strategy names it.
    [`MtaConnectionStrategy/${APPLIED_MARKER}`]: { name: APPLIED_MARKER },
  };
}

/**
 * Requests of all others are counted in the in-memory store, and fail without it: with Redis gone
 * for good, the API over loopback would take no deploy that names another one
 * (common/src/auth/rate_limit.rs).
 */
const allowed = ({ allowedIps, inMemoryStore }: StalwartSettings): string[] => [
  ...new Set([...allowedIps, ...(inMemoryStore ? ["127.0.0.1"] : [])]),
];

/** An expression as the registry has it. */
const expression = (rules: readonly [condition: string, then: string][], otherwise: string): Json => ({
  match: listOf(rules.map(([condition, then]) => ({ if: condition, then }))),
  else: otherwise,
});

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
          overrideProxyTrustedNetworks: setOf(
            listener.proxy ? settings.proxyTrustedNetworks.map(networkOf) : [],
          ),
        },
      ];
    }),
  );
}

/**
 * How long a ban lasts unless told: for ever, which is the server's own, is how lesson 3 went on
 * after its cause was gone.
 */
const BAN = "1d";

function bans({ autoBan }: StalwartSettings): Json {
  const period = durationOf(autoBan.expireAfter ?? BAN);
  return {
    authBanRate: rateOf(autoBan.auth),
    abuseBanRate: rateOf(autoBan.abuse),
    loiterBanRate: rateOf(autoBan.loiter),
    scanBanRate: rateOf(autoBan.scan),
    authBanPeriod: period,
    abuseBanPeriod: period,
    loiterBanPeriod: period,
    scanBanPeriod: period,
  };
}

function routes(settings: StalwartSettings): RegistryObjects {
  const objects: RegistryObjects = {
    // The server adds its defaults only where it finds no row at all, and a relay's row would keep
    // them out.
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
  // Stalwart's own rule takes any certificate from the second attempt on, which would hand a
  // relay's password to whoever stands in between.
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

/**
 * What the server calls its own admin UI (common/src/manager/defaults.rs), which it puts there by
 * itself, and "latest".
 */
const ADMIN_UI = "Stalwart Web Interface";

/**
 * Pyzor is asked about nobody's mail: its server is looked up at each reload, which fails as a
 * whole where it has no address.
 */
function downloads({ spamRules, webUi, geo }: StalwartSettings): RegistryObjects {
  const on = webUi !== "none";
  return {
    SpamSettings: { spamFilterRulesUrl: sourceOf("spamRules", spamRules, "registry") ?? null },
    SpamPyzor: { enable: false },
    Asn:
      geo === "none"
        ? { "@type": "Disabled" }
        : { "@type": "Resource", asnUrls: setOf(geo.asnUrls), geoUrls: setOf(geo.geoUrls) },
    [`Application/${ADMIN_UI}`]: {
      description: ADMIN_UI,
      enabled: on,
      resourceUrl: sourceOf("webUi", on ? webUi : "upstream", "registry"),
      urlPrefix: setOf(["/admin", "/account"]),
    },
  };
}
