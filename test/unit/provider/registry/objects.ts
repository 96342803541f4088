import { parseSettings } from "../../../../lib/desired-state/parse.ts";
import { type RegistryObjects, toRegistryObjects } from "../../../../lib/desired-state/registry/objects.ts";
import type { StalwartSettingsInput } from "../../../../lib/desired-state/schema.ts";

/** What makes mail for elsewhere go by a relay. */
export const VIA_SMARTHOST = {
  relays: [{ name: "smarthost", host: "mailbox.tail.test", tls: "tailnet" }],
  outbound: { route: "smarthost" },
} satisfies Partial<StalwartSettingsInput>;

/**
 * The least that a server of 0.16 and later can be, with mail straight to the MX; `more` on top.
 */
export function registryObjects(more: Partial<StalwartSettingsInput> = {}): RegistryObjects {
  return toRegistryObjects(
    parseSettings({
      hostname: "mail.lab.test",
      tailnetDomain: "tail.test",
      listeners: [{ name: "admin", protocol: "http", port: 8080, proxy: false }],
      outbound: { route: "mx" },
      postgres: { host: "db.tail.test" },
      domains: [{ name: "lab.test" }],
      ...more,
    }),
  );
}
