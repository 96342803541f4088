/**
 * Domains, and what concerns their names: who orders certificates, what is written into DNS,
 * MTA-STS. As objects of the registry.
 */
import { splitAddress } from "../../email-address.ts";
import type { Certificates, DnsProvider } from "../acme.ts";
import type { DkimSelector } from "../dkim.ts";
import { clientsOf, type DomainCertificates, RENEWALS } from "../acme-clients.ts";
import { durationOf, type Json, reference, type RegistryObjects, secretFrom, setOf } from "./spelling.ts";
import type { StalwartSettings } from "../schema.ts";

const CHALLENGES = {
  "dns-01": "Dns01",
  "dns-persist-01": "DnsPersist01",
  "tls-alpn-01": "TlsAlpn01",
  "http-01": "Http01",
} as const;

/** What a signature is called, by what its key is of. */
const SIGNATURES = { rsa: "Dkim1RsaSha256", ed25519: "Dkim1Ed25519Sha256" } as const;

/** What a key is in the server's own rotation, which takes no step by itself without a time set. */
const STAGES = { sign: "active", publish: "pending", retire: "retiring" } as const;

/**
 * Rows of AcmeProvider, DnsServer, Domain, DkimSignature and MailingList, and the singleton MtaSts.
 */
export function domainObjects(settings: StalwartSettings): RegistryObjects {
  const { acme, dnsProvider, mtaSts, domains, hostname, lists, dkim } = settings;
  // What signs first: for a moment mail has two signatures, and never none.
  const selectors = dkim.toSorted((a, b) => Number(b.use === "sign") - Number(a.use === "sign"));
  const ordered = clientsOf(settings).byDomain;
  return {
    ...Object.fromEntries(
      (acme ?? []).map((client) => [`AcmeProvider/${client.directory}`, acmeProvider(client)]),
    ),
    ...(dnsProvider && { [dnsServerKey(dnsProvider)]: dnsServer(dnsProvider) }),
    MtaSts: {
      mode: mtaSts.mode,
      maxAge: durationOf(`${mtaSts.maxAge}d`),
      mxHosts: setOf(mtaSts.mx.length > 0 ? mtaSts.mx : [hostname]),
    },
    ...Object.fromEntries(
      domains.map((each) => [`Domain/${each.name}`, domain(each, settings, ordered.get(each.name))]),
    ),
    ...Object.fromEntries(
      selectors.flatMap((selector) =>
        domains.map(({ name }) => [
          `DkimSignature/${selector.selector}._domainkey.${name}`,
          signature(selector, name),
        ]),
      ),
    ),
    ...Object.fromEntries(
      lists.map(({ address, recipients }) => {
        const [name, of] = splitAddress(address);
        const row = { name, domainId: reference(`Domain/${of}`), recipients: setOf(recipients) };
        return [`MailingList/${address}`, row];
      }),
    ),
  };
}

function acmeProvider(client: NonNullable<Certificates["acme"]>[number]): Json {
  return {
    directory: client.directory,
    contact: setOf(client.contact),
    challengeType: CHALLENGES[client.challenge],
    renewBefore: RENEWALS[client.renewBefore],
  };
}

/** The server has no name for it but a description. */
const dnsServerKey = ({ type }: DnsProvider): string => `DnsServer/${type}`;

function dnsServer(provider: DnsProvider): Json {
  const description = provider.type;
  const secret = secretFrom(provider.secretFile);
  switch (provider.type) {
    case "rfc2136":
      return {
        "@type": "Tsig",
        description,
        host: provider.host,
        port: provider.port,
        protocol: provider.protocol,
        keyName: provider.keyName,
        key: secret,
        tsigAlgorithm: provider.algorithm,
      };
    case "cloudflare":
      return { "@type": "Cloudflare", description, secret };
    case "digitalocean":
      return { "@type": "DigitalOcean", description, secret };
    case "desec":
      return { "@type": "DeSEC", description, secret };
    case "ovh":
      return {
        "@type": "Ovh",
        description,
        ovhEndpoint: provider.endpoint,
        applicationKey: provider.applicationKey,
        applicationSecret: secret,
        consumerKey: secretFrom(provider.consumerKeyFile),
      };
    case "spaceship":
      return { "@type": "Spaceship", description, apiKey: provider.apiKey, secret };
  }
}

/** Headers are the server's own choice, which is the 0.15 line's too. */
const signature = ({ selector, use, algorithm = "rsa", keyFile }: DkimSelector, domain: string): Json => ({
  "@type": SIGNATURES[algorithm],
  domainId: reference(`Domain/${domain}`),
  selector,
  privateKey: secretFrom(keyFile),
  canonicalization: "relaxed/relaxed",
  // Asks for reports that nobody reads (RFC 6651).
  report: false,
  stage: STAGES[use],
});

type Domain = StalwartSettings["domains"][number];

/**
 * Nothing is published by default: behind an edge and a relay, Stalwart's own MX and SPF records
 * would be wrong (records.rs).
 */
function domain(
  { name, catchAll, publishRecords }: Domain,
  { acme = [], dnsProvider }: StalwartSettings,
  certificates: DomainCertificates | undefined,
): Json {
  const manual = { "@type": "Manual" };
  // The server answers no DNS-01 challenge for a domain whose DNS is not its own, and publishes no
  // empty list. Without keys there is nothing of this.
  const client = acme.find(({ directory }) => directory === certificates?.directory);
  const records = client?.challenge === "dns-01" && publishRecords.length === 0 ? ["dkim"] : publishRecords;
  return {
    name,
    catchAllAddress: catchAll ?? null,
    certificateManagement: certificates
      ? {
          "@type": "Automatic",
          acmeProviderId: reference(`AcmeProvider/${certificates.directory}`),
          // Named one by one: an empty set would mean a wildcard with one challenge and the
          // server's own names with another (lesson 4).
          subjectAlternativeNames: setOf(certificates.names),
        }
      : manual,
    dnsManagement:
      dnsProvider && records.length > 0
        ? {
            "@type": "Automatic",
            dnsServerId: reference(dnsServerKey(dnsProvider)),
            publishRecords: setOf(records),
          }
        : manual,
    // Keys that nobody publishes break what they sign, and of ed25519 not every receiver knows
    // (lesson 19).
    dkimManagement: publishRecords.includes("dkim")
      ? { "@type": "Automatic", algorithms: { Dkim1RsaSha256: true } }
      : manual,
  };
}
