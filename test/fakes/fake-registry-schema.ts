/**
 * What the fake of Stalwart's registry knows of its objects: those that tailwart declares, and no other. Names, kinds, what cannot be changed and
 * what must be there are the ones of a 0.16.18 server's schema.
 */
import { type FakeObject, name, nullable, of, oneOf } from "./fake-registry-kinds.ts";
import { NAME_OBJECTS } from "./fake-registry-names.ts";

const policy = oneOf("optional", "require", "disable");
const bans = ["auth", "abuse", "loiter", "scan"];
const days = (n: number) => n * 86_400_000;

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
  SpamSettings: {
    singleton: true,
    variants: { "": { enable: of("boolean"), spamFilterRulesUrl: nullable("string") } },
    defaults: { enable: true, spamFilterRulesUrl: "https://github.com/stalwartlabs/spam-filter/rules" },
  },
  SpamPyzor: {
    singleton: true,
    variants: { "": { enable: of("boolean"), host: of("string"), port: of("number") } },
    defaults: { enable: true, host: "public.pyzor.org", port: 24_441 },
  },
  ...NAME_OBJECTS,
};

/** Objects whose live copy stays the same until the server's next start. */
export const AT_START = new Set(["NetworkListener", "SystemSettings", "BlobStore", "Tracer"]);
