/**
 * Objects of the fake registry that concern names, certificates and stores; see
 * fake-registry-schema.ts.
 */
import {
  type FakeObject,
  type FakeProperty,
  name,
  nullable,
  of,
  oneOf,
  secret,
  text,
} from "./fake-registry-kinds.ts";

const dnsServer = {
  description: text,
  ttl: of("number"),
  timeout: of("number"),
  pollingInterval: of("number"),
  propagationTimeout: of("number"),
  propagationDelay: nullable("number"),
};
const dnsDefaults = { ttl: 300_000, timeout: 30_000, pollingInterval: 15_000, propagationTimeout: 60_000 };
const records = [
  ...["dkim", "tlsa", "spf", "mx", "dmarc", "srv", "mtaSts", "tlsRpt", "caa"],
  ...["autoConfig", "autoConfigLegacy", "autoDiscover"],
];
/** A 0.16.18 server knows more, which are other companies'. */
const regions = [
  ...["UsEast1", "UsEast2", "UsWest1", "UsWest2", "CaCentral1", "AfSouth1", "ApEast1", "ApSouth1"],
  ...[
    "ApNortheast1",
    "ApNortheast2",
    "ApNortheast3",
    "ApSoutheast1",
    "ApSoutheast2",
    "CnNorth1",
    "CnNorthwest1",
  ],
  ...[
    "EuNorth1",
    "EuCentral1",
    "EuCentral2",
    "EuWest1",
    "EuWest2",
    "EuWest3",
    "IlCentral1",
    "MeSouth1",
    "SaEast1",
  ],
  ...["DoNyc3", "DoAms3", "DoSgp1", "DoFra1", "Yandex"],
];
const task: Readonly<Record<string, FakeProperty>> = {
  domainId: { kind: { id: "Domain" }, required: true, immutable: true },
  // Nobody but the server makes one of the others.
  status: { kind: { variants: { Pending: { due: text } } }, required: true },
};

/** One structure for each algorithm (registry/src/schema/structs.rs, Dkim1Signature). */
const DKIM_SIGNATURE = {
  domainId: { kind: { id: "Domain" }, required: true },
  selector: text,
  privateKey: secret,
  canonicalization: of(oneOf("relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed")),
  headers: of({ set: "string" }),
  auid: nullable("string"),
  expire: nullable("number"),
  report: of("boolean"),
  stage: of(oneOf("active", "pending", "retiring", "retired")),
  nextTransitionAt: nullable("string"),
  publicKey: { kind: "string", serverSet: true },
  createdAt: { kind: "string", serverSet: true },
} as const;

export const NAME_OBJECTS: Readonly<Record<string, FakeObject>> = {
  BlobStore: {
    singleton: true,
    variants: {
      Default: {},
      S3: {
        bucket: text,
        region: {
          kind: {
            variants: {
              ...Object.fromEntries(regions.map((region) => [region, {}])),
              Custom: { customEndpoint: text, customRegion: text },
            },
          },
          required: true,
        },
        accessKey: of({
          variants: {
            None: {},
            Value: { value: text },
            EnvironmentVariable: { variableName: text },
            File: { filePath: text },
          },
        }),
        secretKey: of("secret"),
        securityToken: of("secret"),
        sessionToken: of("secret"),
        keyPrefix: nullable("string"),
        profile: nullable("string"),
        timeout: of("number"),
        maxRetries: of("number"),
        verifyAfterWrite: of("boolean"),
        allowInvalidCerts: of("boolean"),
      },
    },
    defaults: { "@type": "Default" },
  },
  InMemoryStore: {
    singleton: true,
    variants: {
      Default: {},
      // A login stands in the URL or nowhere; clusters and Sentinel have properties for it.
      Redis: {
        url: of("string"),
        timeout: of("number"),
        poolMaxConnections: of("number"),
        poolTimeoutCreate: nullable("number"),
        poolTimeoutWait: nullable("number"),
        poolTimeoutRecycle: nullable("number"),
      },
    },
    defaults: { "@type": "Default" },
  },
  DnsServer: {
    primaryKey: "description",
    variants: {
      Tsig: {
        ...dnsServer,
        host: text,
        port: of("number"),
        protocol: of(oneOf("udp", "tcp")),
        keyName: text,
        key: secret,
        tsigAlgorithm: of(oneOf("hmac-md5", "hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512")),
      },
      // Its schema has an email as well, which the server drops without a word.
      Cloudflare: { ...dnsServer, secret },
      DigitalOcean: { ...dnsServer, secret },
      DeSEC: { ...dnsServer, secret },
      Ovh: {
        ...dnsServer,
        applicationKey: text,
        applicationSecret: secret,
        consumerKey: secret,
        ovhEndpoint: of(
          oneOf("ovh-eu", "ovh-ca", "kimsufi-eu", "kimsufi-ca", "soyoustart-eu", "soyoustart-ca"),
        ),
      },
      Spaceship: { ...dnsServer, apiKey: text, secret },
    },
    defaults: dnsDefaults,
  },
  AcmeProvider: {
    primaryKey: "directory",
    variants: {
      "": {
        directory: name,
        contact: { kind: { set: "string", min: 1 }, required: true },
        challengeType: of(oneOf("TlsAlpn01", "DnsPersist01", "Dns01", "Http01")),
        renewBefore: of(oneOf("R12", "R23", "R34", "R45")),
        eabKeyId: { kind: "string", nullable: true, immutable: true },
        eabHmacKey: { kind: "string", nullable: true, immutable: true },
        maxRetries: of("number"),
        preferredChain: nullable("string"),
        reuseKey: of("boolean"),
        accountKey: { kind: "string", serverSet: true },
        accountUri: { kind: "string", serverSet: true },
        description: { kind: "string", serverSet: true },
      },
    },
    defaults: { challengeType: "TlsAlpn01", renewBefore: "R23", maxRetries: 10 },
  },
  DkimSignature: {
    variants: {
      Dkim1RsaSha256: DKIM_SIGNATURE,
      Dkim1Ed25519Sha256: DKIM_SIGNATURE,
    },
    defaults: {
      canonicalization: "relaxed/relaxed",
      headers: { Date: true, From: true, "Message-ID": true, Subject: true, To: true },
      report: true,
      stage: "active",
      createdAt: "2026-11-28T09:00:00Z",
      publicKey: "made from the private key",
    },
  },
  Domain: {
    primaryKey: "name",
    variants: {
      "": {
        name: text,
        isEnabled: of("boolean"),
        catchAllAddress: nullable("string"),
        certificateManagement: of({
          variants: {
            Manual: {},
            Automatic: {
              acmeProviderId: { kind: { id: "AcmeProvider" }, required: true },
              subjectAlternativeNames: of({ set: "string" }),
            },
          },
        }),
        dnsManagement: of({
          variants: {
            Manual: {},
            Automatic: {
              dnsServerId: { kind: { id: "DnsServer" }, required: true },
              origin: nullable("string"),
              publishRecords: of({ set: records, min: 1 }),
            },
          },
        }),
        dkimManagement: of({
          variants: {
            Manual: {},
            Automatic: {
              algorithms: of({ set: ["Dkim1Ed25519Sha256", "Dkim1RsaSha256"] }),
              selectorTemplate: of("string"),
              rotateAfter: of("number"),
              retireAfter: of("number"),
              deleteAfter: of("number"),
            },
          },
        }),
        dnsZoneFile: { kind: "string", serverSet: true },
        createdAt: { kind: "string", serverSet: true },
      },
    },
    defaults: {
      isEnabled: true,
      certificateManagement: { "@type": "Manual" },
      dnsManagement: { "@type": "Manual" },
      dkimManagement: {
        "@type": "Automatic",
        algorithms: { Dkim1Ed25519Sha256: true, Dkim1RsaSha256: true },
      },
    },
  },
  // Made by the server alone, and gone once it is delivered.
  QueuedMessage: { variants: { "": { recipients: { kind: "string", serverSet: true } } } },
  Task: {
    variants: {
      AcmeRenewal: task,
      SpamFilterMaintenance: {
        maintenanceType: {
          kind: oneOf("train", "retrain", "abort", "reset", "updateRules"),
          immutable: true,
        },
        status: task["status"] as FakeProperty,
      },
      DnsManagement: {
        ...task,
        updateRecords: of({ set: records }),
        onSuccessRenewCertificate: of("boolean"),
      },
    },
  },
};
