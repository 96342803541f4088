/**
 * Certificates in the keys of the 0.15 line. Its DNS provider is part of each ACME client
 * (stalwart-lite 0.16.0 common/src/config/server/tls.rs).
 *
 * What Stalwart has been issued it keeps beside them, as `acme.<id>.cert` and
 * `acme.<id>.account-key`: so a client's keys are never owned as a group.
 */
import type { AcmeClient, Certificates, DnsProvider } from "../acme.ts";
import { file, list, type SettingKeys } from "./spelling.ts";

const provedByDns = ({ acme = [] }: Certificates): AcmeClient[] =>
  acme.filter(({ challenge }) => challenge === "dns-01");

/**
 * The keys that are written through the API.
 * @example acmeSettingKeys(settings)["acme.letsencrypt.challenge"] === "dns-01"
 */
export function acmeSettingKeys(settings: Certificates): SettingKeys {
  const keys: SettingKeys = {};
  for (const client of settings.acme ?? []) {
    const id = `acme.${client.id}`;
    Object.assign(
      keys,
      { [`${id}.directory`]: client.directory },
      list(`${id}.contact`, client.contact),
      { [`${id}.challenge`]: client.challenge },
      list(`${id}.domains`, client.names),
      { [`${id}.renew-before`]: `${client.renewBefore}d`, [`${id}.default`]: String(client.default) },
      client.challenge === "dns-01" && settings.dnsProvider ? providerKeys(id, settings.dnsProvider) : {},
    );
  }
  return keys;
}

function providerKeys(id: string, provider: DnsProvider): SettingKeys {
  switch (provider.type) {
    case "rfc2136":
      return {
        [`${id}.provider`]: "rfc2136-tsig",
        [`${id}.host`]: provider.host,
        [`${id}.port`]: String(provider.port),
        [`${id}.protocol`]: provider.protocol,
        [`${id}.key`]: provider.keyName,
        [`${id}.tsig-algorithm`]: provider.algorithm,
      };
    case "cloudflare":
      return {
        [`${id}.provider`]: "cloudflare",
        ...(provider.email !== undefined && { [`${id}.user`]: provider.email }),
      };
    case "ovh":
      return {
        [`${id}.provider`]: "ovh",
        [`${id}.key`]: provider.applicationKey,
        [`${id}.ovh-endpoint`]: provider.endpoint,
      };
    default:
      return { [`${id}.provider`]: provider.type };
  }
}

/**
 * The secrets' keys, which stand in the config file: in the data store their macros would not be
 * expanded.
 */
export function acmeFileKeys(settings: Certificates): SettingKeys {
  const { dnsProvider } = settings;
  if (!dnsProvider) return {};
  return Object.fromEntries(
    provedByDns(settings).flatMap(({ id }) => [
      [`acme.${id}.secret`, file(dnsProvider.secretFile)],
      ...(dnsProvider.type === "ovh" ? [[`acme.${id}.consumer-key`, file(dnsProvider.consumerKeyFile)]] : []),
    ]),
  ) as SettingKeys;
}
