/**
 * What a desired state says that a generation of Stalwart's settings cannot hold. Refused here,
 * before anything is registered or sent: what a server does not know it drops without a word, or
 * refuses in the middle of a deploy.
 */
import { UserError } from "../errors.ts";
import type { Generation } from "../stalwart/release.ts";
import { clientsOf, RENEWALS } from "./acme-clients.ts";
import type { StalwartSettings } from "./schema.ts";

/** Something that a generation does not offer. */
export interface Refusal {
  /** The field, such as `["acme", 0, "challenge"]`. */
  path: (string | number)[];
  /** Why, and what is accepted instead. */
  message: string;
}

/** Everything in the desired state that the generation does not offer; [] when nothing is. */
export function refusalsFor(generation: Generation, settings: StalwartSettings): Refusal[] {
  return generation === "keys" ? refusedByKeys(settings) : refusedByRegistry(settings);
}

/**
 * Refuses what the generation does not offer.
 *
 * @throws UserError that names each field as `settings.<path>` and what to write instead
 * @example refuseFor("keys", settings)
 * // throws: settings.dnsProvider.type: Stalwart's 0.15 line does not know spaceship; …
 */
export function refuseFor(generation: Generation, settings: StalwartSettings): void {
  const refusals = refusalsFor(generation, settings);
  if (refusals.length === 0) return;
  const lines = refusals.map(({ path, message }) => `settings.${path.join(".")}: ${message}`);
  throw new UserError(lines.join("\n  "), { path: `settings.${refusals[0]?.path.join(".")}` });
}

function refusedByKeys({ acme = [], dnsProvider, autoBan, domains, geo }: StalwartSettings): Refusal[] {
  const refusals: Refusal[] = [];
  acme.forEach(({ challenge }, i) => {
    if (challenge === "dns-persist-01")
      refusals.push({
        path: ["acme", i, "challenge"],
        message: "Stalwart's 0.15 line has no dns-persist-01; accepts dns-01, tls-alpn-01 or http-01",
      });
  });
  if (dnsProvider?.type === "spaceship")
    refusals.push({
      path: ["dnsProvider", "type"],
      message:
        "Stalwart's 0.15 line does not know spaceship; accepts rfc2136, cloudflare, digitalocean, desec or ovh",
    });
  if (autoBan.expireAfter !== undefined)
    refusals.push({
      path: ["autoBan", "expireAfter"],
      message:
        "Stalwart's 0.15 line bans for good, also over a restart; accepts nothing here: leave it out, and name in allowedIps whoever must never be banned",
    });
  if (geo !== "none")
    for (const field of ["asnUrls", "geoUrls"] as const)
      geo[field].forEach((url, i) => {
        if (/\.gz(ip)?$/.test(url))
          refusals.push({
            path: ["geo", field, i],
            message: "Stalwart's 0.15 line does not unpack .gz; accepts the URL of a plain CSV file",
          });
      });
  domains.forEach(({ publishRecords }, i) => {
    if (publishRecords.length > 0)
      refusals.push({
        path: ["domains", i, "publishRecords"],
        message:
          "Stalwart's 0.15 line publishes nothing in DNS; accepts an empty list: publish the records where the zone is kept",
      });
  });
  return refusals;
}

function refusedByRegistry(settings: StalwartSettings): Refusal[] {
  const { acme = [], admin, dnsProvider, domains, inMemoryStore } = settings;
  const refusals: Refusal[] = [];
  if (dnsProvider?.type === "cloudflare" && dnsProvider.email !== undefined)
    refusals.push({
      path: ["dnsProvider", "email"],
      message:
        "Stalwart drops it from 0.16 on, and an account's global key does not work without; accepts an API token in secretFile, and no email",
    });
  // Source: x:RedisStore of the schema that a 0.16.18 server serves has `url`, a plain string, and
  // nothing beside for a login.
  if (inMemoryStore?.auth)
    refusals.push({
      path: ["inMemoryStore", "auth"],
      message:
        "from 0.16 on Stalwart takes Redis' password inside a URL alone, which lies in its database in clear and is shown to every administrator; accepts no login: a Redis on the tailnet without a password, which the grant alone opens",
    });
  if (domains.length === 0)
    refusals.push({
      path: ["domains"],
      message: "is empty, and from 0.16 on Stalwart demands a default domain; accepts at least one",
    });
  const administrator = `${admin.user}@${domains[0]?.name ?? ""}`;
  for (const list of ["accounts", "groups"] as const)
    settings[list].forEach(({ emails }, i) => {
      const at = emails.indexOf(administrator);
      if (at >= 0)
        refusals.push({
          path: [list, i, "emails", at],
          message: "is the administrator's own address from 0.16 on; accepts another, or another admin.user",
        });
    });
  acme.forEach((client, i) => {
    const refuse = (field: string, message: string) =>
      void refusals.push({ path: ["acme", i, field], message });
    if (!(client.renewBefore in RENEWALS))
      refuse(
        "renewBefore",
        `Stalwart renews after a fraction of a certificate's life from 0.16 on, here of 90 days; accepts ${Object.keys(RENEWALS).join(", ")}`,
      );
    if (client.default && acme.length > 1)
      refuse(
        "default",
        "the registry names a default certificate by an id that there is only once it is issued; accepts false, or one client: its certificate is shown anyway",
      );
    const twin = acme.findIndex(({ directory }) => directory === client.directory);
    for (const field of ["contact", "challenge", "renewBefore"] as const)
      if (JSON.stringify(acme[twin]?.[field]) !== JSON.stringify(client[field]))
        refuse(
          field,
          `the registry knows a CA by its directory, and "${acme[twin]?.id}" has the same with another ${field}; accepts the same ${field}`,
        );
  });
  const { homeless, contested } = clientsOf(settings);
  for (const { client, name, certificate } of homeless)
    refusals.push({
      path: ["acme", client, "names", name],
      message: `${certificate} is in none of domains, and from 0.16 on Stalwart orders certificates domain by domain; accepts names of domains`,
    });
  for (const { client, name, certificate, domain } of contested)
    refusals.push({
      path: ["acme", client, "names", name],
      message: `${certificate} is in ${domain}, whose certificate another CA is asked for; accepts one directory a domain`,
    });
  return refusals;
}
