/** The queue of 0.16 and later, where the probe of a route lies while its host has not taken it. */
import type { ProbeQueue } from "../server/probe.ts";
import type { RegistryApi, Row } from "./jmap.ts";

type Json = Record<string, unknown>;

/** Recipients of a queued message at a domain, with what became of the last attempt. */
const recipientsAt = (domain: string, { recipients }: Row): Json[] =>
  Object.entries((recipients ?? {}) as Record<string, Json>)
    .filter(([address]) => address.toLowerCase().endsWith(`@${domain}`))
    .map(([, recipient]) => (recipient["status"] ?? {}) as Json);

const queuedBy = async (api: RegistryApi) => (await api.get(["QueuedMessage"]))["QueuedMessage"] ?? [];

/** All that is queued: each message as the server writes it. */
export const queuedMessages = async (api: RegistryApi): Promise<string[]> =>
  (await queuedBy(api)).map((message) => JSON.stringify(message));

export function registryQueue(api: RegistryApi): ProbeQueue {
  const messages = () => queuedBy(api);
  return {
    async queued(domain) {
      return (await messages())
        .flatMap((message) => recipientsAt(domain, message))
        .flatMap(({ responseHostname: host, "@type": state }) =>
          typeof host === "string" ? [`Error for ${host}: ${String(state)}`] : [],
        );
    },
    async discard(domain) {
      const probes = (await messages()).filter((message) => recipientsAt(domain, message).length > 0);
      if (probes.length === 0) return;
      const names = Object.fromEntries(probes.map(({ id }) => [id, `the probe for ${domain}`]));
      await api.set("QueuedMessage", { destroy: probes.map(({ id }) => id) }, names);
    },
  };
}
