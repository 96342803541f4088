import type { MAIL_SERVICES } from "../mail-services.ts";

/** Who orders which certificates, at which CA. */
export interface AcmeNames {
  /** URL of the CA's directory. */
  readonly directory: string;
  /** A domain, or `*.` and a domain. */
  readonly names: readonly string[];
}

/** What decides the policy of MTA-STS that Stalwart serves. */
export interface MtaStsPolicy {
  readonly mode: "enforce" | "testing" | "disable";
  /** Days for which senders keep it. */
  readonly maxAge: number;
  /** Names of MX hosts; `*.` and a domain stands for one label (RFC 8461 §4.1). */
  readonly mx: readonly string[];
}

/** A key of DKIM that is to be found by receivers. */
export interface DkimPublished {
  readonly selector: string;
  /** What its record says; undefined before the deploy that makes the key. */
  readonly record: string | undefined;
}

/** What a domain's records are made from. */
export interface MailDomainSetup {
  readonly name: string;
  /** Names of its own for the mail host; its MX is the first of them. */
  readonly hosts: readonly string[];
  /** What Stalwart publishes by itself, and so must not be written twice. */
  readonly publishRecords: readonly string[];
  readonly dmarc: "none" | "quarantine" | "reject";
}

/** All that the records for mail are made from. */
export interface MailSetup {
  readonly mailHost: string;
  /** IPv4 addresses of the edges. */
  readonly addresses: readonly string[];
  /** An IPv6 address at which nobody listens, where a lab leaves lesson 17's guard out. */
  readonly deadAddress6?: string | undefined;
  readonly domains: readonly MailDomainSetup[];
  readonly services: readonly (keyof typeof MAIL_SERVICES)[];
  /** Where mail leaves for the internet, as `spfTerm` takes it; undefined: nobody has said so. */
  readonly egress: readonly string[] | undefined;
  /** Selectors of DKIM, whether or not they sign. */
  readonly dkim: readonly DkimPublished[];
  readonly mtaSts: MtaStsPolicy;
  readonly acme: readonly AcmeNames[];
  /** URLs of the accounts at the CAs. */
  readonly acmeAccounts: readonly string[];
  /** Where reports go; undefined: to postmaster of each domain. */
  readonly reports: string | undefined;
  /** Whether mail to an address reaches anybody. */
  readonly isDelivered: (address: string) => boolean;
}
