import { afterEach, beforeEach } from "vitest";

import { RegistryResource } from "../../../../provider/registry/resource.ts";
import type { Transport } from "../../../../provider/server/transport.ts";
import { FakeRegistry } from "../../../fakes/fake-registry.ts";
import { registryTransport } from "../../../fakes/fake-transport.ts";

/**
 * A fake of the registry, another one for each test of the file that calls {@link freshRegistry}.
 */
export interface FreshRegistry {
  fake: FakeRegistry;
  /** Where it listens. */
  base: string;
  transport: () => Transport;
  /** @param readyDeadline milliseconds; see RegistryResource */
  resource: (readyDeadline?: number) => RegistryResource;
  /** Another one in the midst of a test. */
  renew: () => Promise<void>;
}

/** @param prepare what is to be so of each */
export function freshRegistry(prepare: (fake: FakeRegistry) => void = () => undefined): FreshRegistry {
  const now: FreshRegistry = {
    fake: new FakeRegistry(),
    base: "",
    transport: () => registryTransport(() => now.fake),
    resource: (readyDeadline) => new RegistryResource(now.transport, readyDeadline),
    async renew() {
      now.fake.close();
      now.fake = new FakeRegistry();
      prepare(now.fake);
      now.base = await now.fake.listen();
    },
  };
  beforeEach(now.renew);
  afterEach(() => now.fake.close());
  return now;
}
