import { type Generation, generationOf } from "../../lib/stalwart/release.ts";
import { StalwartApi } from "../../provider/keys/api.ts";
import { RegistryApi } from "../../provider/registry/jmap.ts";
import { DEFAULT_API } from "../../provider/server/state.ts";
import { dockerTransport } from "../../provider/server/transport.ts";
import { containerOf } from "./containers.ts";
import type { Lab } from "./open-lab.ts";

/** A Stalwart, by the API of its generation. */
export interface StalwartServer {
  /** Whether its settings are objects of a registry; else they are keys. */
  readonly isRegistry: boolean;
  readonly keys: StalwartApi;
  readonly rows: RegistryApi;
}

/** A Stalwart by a pipe into its container, with the login that lies there (decision 16). */
export function serverIn(dockerHost: string, container: string, generation: Generation): StalwartServer {
  const transport = dockerTransport(dockerHost, container);
  return {
    isRegistry: generation === "registry",
    keys: new StalwartApi(transport, DEFAULT_API),
    rows: new RegistryApi(transport, DEFAULT_API),
  };
}

/** The Stalwart of a lab's stack. */
export const labServer = ({ layout, stack, facts }: Lab): StalwartServer =>
  serverIn(
    layout.boxes.kvm.dockerHost,
    containerOf(stack.name, "stalwart"),
    generationOf(facts.stalwartLine),
  );
