/**
 * What the fake of Stalwart's registry knows of its objects: those that tailwart declares, and no
 * other. Names, kinds, what cannot be changed and what must be there are the ones of a 0.16.18
 * server's schema.
 */
import { type FakeObject, name, nullable, of, oneOf, secret, text } from "./fake-registry-kinds.ts";
import { NAME_OBJECTS } from "./fake-registry-names.ts";

const policy = oneOf("optional", "require", "disable");
const bans = ["auth", "abuse", "loiter", "scan"];
const days = (n: number) => n * 86_400_000;

const credentials = {
  Password: {
    secret: text,
    allowedIps: of({ set: "string" }),
    expiresAt: nullable("string"),
    otpAuth: nullable("string"),
  },
} as const;

const alias = {
  enabled: of("boolean"),
  name: text,
  domainId: { kind: { id: "Domain" }, required: true },
  description: nullable("string"),
} as const;

/**
 * What the server takes tables of addresses from at its first start
 * (common/src/manager/defaults.rs).
 */
const IP_LOCATION = "https://github.com/sapics/ip-location-db/releases/download/latest";
const TABLES = {
  asnUrls: {},
  geoUrls: {},
  expires: days(1),
  maxSize: 104_857_600,
  timeout: 300_000,
  httpAuth: { "@type": "Unauthenticated" },
  httpHeaders: {},
};

export const FAKE_OBJECTS: Readonly<Record<string, FakeObject>> = {
  Account: {
    variants: {
      User: {
        name: text,
        domainId: { kind: { id: "Domain" }, required: true },
        roles: of({ variants: { User: {}, Admin: {} } }),
        credentials: of({ listOf: credentials }),
        aliases: of({ listOf: { "": alias } }),
        quotas: of({ mapOf: ["maxDiskQuota", "maxEmails"] }),
        memberGroupIds: of({ idsOf: "Account", type: "Group" }),
      },
      Group: {
        name: text,
        domainId: { kind: { id: "Domain" }, required: true },
        roles: of({ variants: { Default: {} } }),
        aliases: of({ listOf: { "": alias } }),
        quotas: of({ mapOf: ["maxDiskQuota", "maxEmails"] }),
      },
    },
  },
  MailingList: {
    variants: {
      "": {
        name: text,
        domainId: { kind: { id: "Domain" }, required: true },
        description: nullable("string"),
        emailAddress: { kind: "string", serverSet: true },
        aliases: of({ listOf: { "": alias } }),
        recipients: of({ set: "string" }),
      },
    },
  },
  SystemSettings: {
    singleton: true,
    variants: {
      "": {
        defaultHostname: text,
        defaultDomainId: { kind: { id: "Domain" }, required: true },
        proxyTrustedNetworks: of({ set: "string" }),
      },
    },
    defaults: { defaultHostname: "", proxyTrustedNetworks: {} },
  },
  NetworkListener: {
    primaryKey: "name",
    variants: {
      "": {
        name,
        bind: { kind: { set: "string", min: 1 }, required: true },
        protocol: of(oneOf("smtp", "lmtp", "http", "imap", "pop3", "manageSieve")),
        useTls: of("boolean"),
        tlsImplicit: of("boolean"),
        overrideProxyTrustedNetworks: of({ set: "string" }),
        maxConnections: nullable("number"),
      },
    },
    defaults: { protocol: "smtp", useTls: true, tlsImplicit: false, maxConnections: 8192 },
  },
  Http: {
    singleton: true,
    variants: {
      "": {
        allowedEndpoints: of("expression"),
        rateLimitAnonymous: nullable("rate"),
        rateLimitAuthenticated: nullable("rate"),
        useXForwarded: of("boolean"),
        usePermissiveCors: of("boolean"),
        enableHsts: of("boolean"),
        redirectRoot: nullable("string"),
      },
    },
    defaults: {
      allowedEndpoints: { match: {}, else: "200" },
      rateLimitAnonymous: { count: 100, period: 60_000 },
      rateLimitAuthenticated: { count: 1000, period: 60_000 },
      redirectRoot: "/account",
    },
  },
  MtaStageAuth: {
    singleton: true,
    variants: {
      "": {
        require: of("expression"),
        mustMatchSender: of("expression"),
        saslMechanisms: of("expression"),
        maxFailures: of("expression"),
        waitOnFail: of("expression"),
      },
    },
    defaults: { require: { match: {}, else: "local_port != 25" } },
  },
  MtaStageRcpt: {
    singleton: true,
    variants: {
      "": {
        allowRelaying: of("expression"),
        rewrite: of("expression"),
        script: of("expression"),
        maxFailures: of("expression"),
        maxRecipients: of("expression"),
        waitOnFail: of("expression"),
      },
    },
    defaults: { allowRelaying: { match: {}, else: "!is_empty(authenticated_as)" } },
  },
  Security: {
    singleton: true,
    variants: {
      "": Object.fromEntries(
        bans.flatMap((ban) => [
          [`${ban}BanRate`, nullable("rate")],
          [`${ban}BanPeriod`, nullable("number")],
        ]),
      ),
    },
    defaults: {
      authBanRate: { count: 100, period: days(1) },
      abuseBanRate: { count: 35, period: days(1) },
      loiterBanRate: { count: 150, period: days(1) },
      scanBanRate: { count: 30, period: days(1) },
    },
  },
  AllowedIp: {
    primaryKey: "address",
    variants: {
      "": { address: { ...name }, reason: nullable("string"), expiresAt: nullable("string") },
    },
  },
  MtaRoute: {
    primaryKey: "name",
    variants: {
      Mx: { name, maxMxHosts: of("number"), maxMultihomed: of("number") },
      Local: { name },
      Relay: {
        name,
        address: { kind: "string", required: true },
        port: of("number"),
        protocol: of(oneOf("smtp", "lmtp")),
        implicitTls: of("boolean"),
        allowInvalidCerts: of("boolean"),
        authUsername: nullable("string"),
        authSecret: of("secret"),
      },
    },
  },
  MtaTlsStrategy: {
    primaryKey: "name",
    variants: {
      "": {
        name,
        startTls: of(policy),
        dane: of(policy),
        mtaSts: of(policy),
        allowInvalidCerts: of("boolean"),
      },
    },
    defaults: { startTls: "optional", dane: "optional", mtaSts: "optional", allowInvalidCerts: false },
  },
  MtaConnectionStrategy: {
    primaryKey: "name",
    variants: { "": { name, description: nullable("string"), connectTimeout: of("number") } },
    defaults: { connectTimeout: 300_000 },
  },
  MtaOutboundStrategy: {
    singleton: true,
    variants: {
      "": {
        route: of("expression"),
        tls: of("expression"),
        connection: of("expression"),
        schedule: of("expression"),
      },
    },
    defaults: {
      route: { match: { 0: { if: "is_local_domain(rcpt_domain)", then: "'local'" } }, else: "'mx'" },
      tls: { match: {}, else: "'default'" },
      connection: { match: {}, else: "'default'" },
    },
  },
  MtaSts: {
    singleton: true,
    variants: {
      "": {
        mode: of(oneOf("enforce", "testing", "disable")),
        maxAge: of("number"),
        mxHosts: of({ set: "string" }),
      },
    },
    defaults: { mode: "testing", maxAge: 604_800_000, mxHosts: {} },
  },
  Tracer: {
    primaryKey: "@type",
    variants: {
      Stdout: {
        enable: of("boolean"),
        level: of(oneOf("error", "warn", "info", "debug", "trace")),
        ansi: of("boolean"),
        buffered: of("boolean"),
      },
      Log: { enable: of("boolean"), path: of("string") },
    },
    defaults: { enable: true },
  },
  SpamSettings: {
    singleton: true,
    variants: { "": { enable: of("boolean"), spamFilterRulesUrl: nullable("string") } },
    defaults: { enable: true, spamFilterRulesUrl: "https://github.com/stalwartlabs/spam-filter/rules" },
  },
  Asn: {
    singleton: true,
    variants: {
      Disabled: {},
      Resource: {
        asnUrls: of({ set: "string" }),
        geoUrls: of({ set: "string" }),
        expires: of("number"),
        maxSize: of("number"),
        timeout: of("number"),
        httpAuth: of({
          variants: {
            Unauthenticated: {},
            Basic: { username: text, secret },
            Bearer: { bearerToken: secret },
          },
        }),
        httpHeaders: of("strings"),
      },
      Dns: {
        zoneIpV4: text,
        zoneIpV6: text,
        separator: of("string"),
        indexAsn: of("number"),
        indexAsnName: nullable("number"),
        indexCountry: nullable("number"),
      },
    },
    defaults: { "@type": "Disabled" },
    variantDefaults: { Resource: TABLES, Dns: { separator: "|", indexAsn: 0 } },
    atFirstStart: {
      "@type": "Resource",
      ...TABLES,
      asnUrls: { [`${IP_LOCATION}/origin-asn-ipv4.csv`]: true, [`${IP_LOCATION}/origin-asn-ipv6.csv`]: true },
      geoUrls: {
        [`${IP_LOCATION}/user-country-ipv4.csv`]: true,
        [`${IP_LOCATION}/user-country-ipv6.csv`]: true,
      },
    },
  },
  Application: {
    primaryKey: "description",
    variants: {
      "": {
        description: text,
        enabled: of("boolean"),
        resourceUrl: text,
        urlPrefix: { kind: { set: "string", min: 1 }, required: true },
        autoUpdateFrequency: of("number"),
        unpackDirectory: nullable("string"),
      },
    },
    defaults: { enabled: true, autoUpdateFrequency: days(90) },
  },
  SpamPyzor: {
    singleton: true,
    variants: { "": { enable: of("boolean"), host: of("string"), port: of("number") } },
    defaults: { enable: true, host: "public.pyzor.org", port: 24_441 },
  },
  ...NAME_OBJECTS,
};

/** Objects whose live copy stays the same until the server's next start. */
export const AT_START = new Set(["NetworkListener", "SystemSettings", "BlobStore", "InMemoryStore"]);
