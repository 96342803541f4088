/**
 * ACME clients as the registry has them: a CA by its directory, and at each domain the names that
 * are ordered for it.
 */
import { nearest } from "../domain-names.ts";
import type { StalwartSettings } from "./schema.ts";

/**
 * Days before the end of a certificate of 90 days → how the registry calls that moment
 * (`acme_renewal_due_at`, acme/renew.rs).
 */
export const RENEWALS: Readonly<Record<number, string>> = { 45: "R12", 30: "R23", 22: "R34", 18: "R45" };

/** A name of a client, by its places in `acme` and `names`. */
interface Named {
  client: number;
  name: number;
  certificate: string;
}

export interface DomainCertificates {
  directory: string;
  names: string[];
}

/**
 * Which names are ordered for which domain.
 *
 * @returns homeless names are in no domain; contested ones are in a domain whose other names
 *   another CA is asked for
 */
export function clientsOf({ acme = [], domains }: Pick<StalwartSettings, "acme" | "domains">) {
  const byDomain = new Map<string, DomainCertificates>();
  const homeless: Named[] = [];
  const contested: (Named & { domain: string })[] = [];
  const known = new Set(domains.map(({ name }) => name));
  acme.forEach(({ directory, names }, client) =>
    names.forEach((certificate, name) => {
      const domain = nearest(certificate.replace(/^\*\./, ""), known);
      if (domain === undefined) return void homeless.push({ client, name, certificate });
      const found = byDomain.get(domain) ?? { directory, names: [] };
      if (found.directory !== directory) return void contested.push({ client, name, certificate, domain });
      found.names.push(certificate);
      byDomain.set(domain, found);
    }),
  );
  return { byDomain, homeless, contested };
}
