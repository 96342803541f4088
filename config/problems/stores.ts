import { isMagicDnsName } from "../../lib/addresses.ts";
import { targetOf } from "../../lib/url-target.ts";
import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";

/** What is wrong with the stores: one over the internet in clear, or without its secret. */
export function storeProblems(config: Config, secrets: Record<string, unknown>): Problem[] {
  const { blobStore, inMemoryStore } = config.settings;
  const endpoint = blobStore?.endpoint === undefined ? undefined : targetOf(blobStore.endpoint);
  const domain = config.tailnet.domain;
  const elsewhere = ({ host }: { host: string }) => !isMagicDnsName(host, domain);
  const findings: Problem[] = [];
  const refuse = (key: string, message: string, example: string) =>
    void findings.push({ path: keyPath(key.split(".")), message, example });

  if (!config.postgres.tls && elsewhere(config.postgres))
    refuse(
      "postgres.tls",
      `is off, but postgres.host is not a MagicDNS name of ${domain}, so mail and the password's exchange would cross the internet in clear; accepts true here, or a machine of the tailnet as postgres.host`,
      "true",
    );
  if (endpoint?.scheme === "http" && elsewhere(endpoint))
    refuse(
      "settings.blobStore.endpoint",
      `is http, and its host is not a MagicDNS name of ${domain}, so mail would cross the internet in clear; accepts an https URL, or a machine of the tailnet`,
      "https://s3.example.org",
    );
  if (inMemoryStore && elsewhere(inMemoryStore)) {
    if (!inMemoryStore.tls)
      refuse(
        "settings.inMemoryStore.tls",
        `is off, but settings.inMemoryStore.host is not a MagicDNS name of ${domain}, so the password would cross the internet in clear; accepts true here, or a machine of the tailnet as host`,
        "true",
      );
    if (inMemoryStore.username === undefined)
      refuse(
        "settings.inMemoryStore.username",
        `is missing, while settings.inMemoryStore.host is not a MagicDNS name of ${domain}, so whoever reaches Redis could write there; accepts a user of its ACL, or a machine of the tailnet as host (from 0.16 on nothing else)`,
        "stalwart",
      );
  }
  for (const [secret, owner, needed] of [
    ["blobStoreSecret", "settings.blobStore", blobStore !== undefined],
    ["inMemoryStoreSecret", "settings.inMemoryStore.username", inMemoryStore?.username !== undefined],
  ] as const)
    if (needed && !(secret in secrets))
      refuse(
        secret,
        `is missing, while ${owner} is set; accepts a secret`,
        `pulumi config set --secret tailwart:${secret}`,
      );
  if ("inMemoryStoreSecret" in secrets && inMemoryStore && inMemoryStore.username === undefined)
    refuse(
      "settings.inMemoryStore.username",
      "is missing, while the secret tailwart:inMemoryStoreSecret is set, which nobody would send; accepts a user of Redis' ACL",
      "default",
    );
  return findings;
}
