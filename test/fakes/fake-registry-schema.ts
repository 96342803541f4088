/**
 * What the fake of Stalwart's registry knows of its objects: those that tailwart declares, and no other. Names, kinds, what cannot be changed and
 * what must be there are the ones of a 0.16.18 server's schema.
 */

/** Kind of a property. `set` and `list` hold one of the other kinds; `secret` is a variant that a server masks when it holds a value. */
export type Kind =
  | "string"
  | "boolean"
  | "number"
  | "secret"
  | "expression"
  | "rate"
  | "variant"
  | { readonly enum: readonly string[] }
  | { readonly set: "string" | readonly string[] }
  | { readonly id: string };

export interface FakeProperty {
  readonly kind: Kind;
  readonly immutable?: true;
  readonly serverSet?: true;
  readonly nullable?: true;
  readonly required?: true;
}

export interface FakeObject {
  readonly singleton?: true;
  /** Variant by `@type` → its properties; "" where the object has no variants. */
  readonly variants: Readonly<Record<string, Readonly<Record<string, FakeProperty>>>>;
  /** What a row holds that was not told otherwise. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Rows are told apart by it. */
  readonly primaryKey?: string;
}

const of = (kind: Kind): FakeProperty => ({ kind });
const nullable = (kind: Kind): FakeProperty => ({ kind, nullable: true });
const name: FakeProperty = { kind: "string", immutable: true, required: true };
const oneOf = (...values: string[]): Kind => ({ enum: values });
const policy = oneOf("optional", "require", "disable");
const bans = ["auth", "abuse", "loiter", "scan"];
const dnsTimes = { ttl: of("number"), timeout: of("number"), pollingInterval: of("number") };
const dnsDefaults = { ttl: 300_000, timeout: 30_000, pollingInterval: 15_000, propagationTimeout: 60_000 };

export const FAKE_OBJECTS: Readonly<Record<string, FakeObject>> = {
  SystemSettings: {
    singleton: true,
    variants: { "": { defaultHostname: of("string"), proxyTrustedNetworks: of({ set: "string" }) } },
    defaults: { defaultHostname: "localhost" },
  },
  NetworkListener: {
    primaryKey: "name",
    variants: {
      "": {
        name,
        bind: { kind: { set: "string" }, required: true },
        protocol: of(oneOf("smtp", "lmtp", "http", "imap", "pop3", "manageSieve")),
        useTls: of("boolean"),
        tlsImplicit: of("boolean"),
        overrideProxyTrustedNetworks: of({ set: "string" }),
        maxConnections: nullable("number"),
      },
    },
    defaults: { protocol: "smtp", useTls: true, tlsImplicit: false, maxConnections: 8192 },
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
    defaults: { authBanRate: { count: 100, period: 86_400_000 } },
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
    variants: { "": { name, connectTimeout: of("number") } },
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
    defaults: { mode: "testing", maxAge: 604_800_000 },
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
  BlobStore: {
    singleton: true,
    variants: {
      Default: {},
      S3: {
        bucket: { kind: "string", required: true },
        region: of("variant"),
        accessKey: of("secret"),
        secretKey: of("secret"),
        keyPrefix: nullable("string"),
      },
    },
    defaults: { "@type": "Default" },
  },
  DnsServer: {
    primaryKey: "description",
    variants: {
      Tsig: {
        description: { kind: "string", required: true },
        host: { kind: "string", required: true },
        port: of("number"),
        protocol: of(oneOf("udp", "tcp")),
        keyName: { kind: "string", required: true },
        key: { kind: "secret", required: true },
        tsigAlgorithm: of(oneOf("hmac-sha256", "hmac-sha384", "hmac-sha512")),
        ...dnsTimes,
        propagationTimeout: of("number"),
      },
      Spaceship: {
        description: { kind: "string", required: true },
        apiKey: { kind: "string", required: true },
        secret: { kind: "secret", required: true },
        ...dnsTimes,
        propagationTimeout: of("number"),
      },
    },
    defaults: dnsDefaults,
  },
  AcmeProvider: {
    primaryKey: "directory",
    variants: {
      "": {
        directory: { kind: "string", immutable: true, required: true },
        contact: { kind: { set: "string" }, required: true },
        challengeType: of(oneOf("TlsAlpn01", "DnsPersist01", "Dns01", "Http01")),
        renewBefore: of(oneOf("R12", "R23", "R34", "R45")),
        accountKey: { kind: "string", serverSet: true },
        accountUri: { kind: "string", serverSet: true },
      },
    },
    defaults: { challengeType: "TlsAlpn01", renewBefore: "R23" },
  },
  Domain: {
    primaryKey: "name",
    variants: {
      "": {
        name: { kind: "string", required: true },
        certificateManagement: of("variant"),
        dnsManagement: of("variant"),
        dkimManagement: of("variant"),
      },
    },
    defaults: {
      certificateManagement: { "@type": "Manual" },
      // The real server's default publishes everything but TLSA.
      dnsManagement: { "@type": "Manual" },
      dkimManagement: { "@type": "Automatic" },
    },
  },
};

/** Objects whose live copy stays the same until the server's next start. */
export const AT_START = new Set(["NetworkListener", "SystemSettings", "BlobStore", "Tracer"]);
