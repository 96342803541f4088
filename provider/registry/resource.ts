/** The resource `tailwart:mail:Registry`: the settings of Stalwart 0.16 and later. */
import type { RegistryObjects } from "../../lib/settings/registry.ts";
import { canBeAsked, isThere, waitUntilReady } from "../ready.ts";
import { type Log, type TransportFactory, viaDocker } from "../resource.ts";
import type { ServedResource } from "../server.ts";
import { DEFAULT_API } from "../state.ts";
import { checkRegistryInputs } from "./check.ts";
import { convergeRegistry } from "./converge.ts";
import { RegistryApi, type Row } from "./jmap.ts";
import { isOwned, objectOf, planRows, readRows, sameValue } from "./plan.ts";
import type { RegistryState } from "./state.ts";

type Json = Record<string, unknown>;

export class RegistryResource implements ServedResource<RegistryState> {
  readonly #transport: TransportFactory;

  constructor(transport: TransportFactory = viaDocker) {
    this.#transport = transport;
  }

  check = checkRegistryInputs;

  withDefaults(inputs: Json): Json {
    const { target } = inputs;
    return typeof target === "object" ? { ...inputs, target: { api: DEFAULT_API, ...target } } : inputs;
  }

  #api({ target }: RegistryState): RegistryApi {
    return new RegistryApi(this.#transport(target), target.api);
  }

  async apply(desired: RegistryState, previous: RegistryState | undefined, log: Log): Promise<RegistryState> {
    const api = this.#api(desired);
    const ready = () => waitUntilReady(api);
    await ready();
    const done = await convergeRegistry(api, desired.objects, previous?.objects ?? {}, { ready, log });
    log(`${done.writes} written, reloaded${done.restarted ? ", restarted" : ""}, read back`);
    return desired;
  }

  /** Hand edits show as differences of the declared properties, strangers among owned rows as additions. */
  async read(state: RegistryState): Promise<RegistryState | undefined> {
    const api = this.#api(state);
    if (!(await isThere(api))) return undefined;
    const live = await readRows(api, Object.keys(state.objects));
    const objects: RegistryObjects = {};
    for (const [key, declared] of Object.entries(state.objects)) {
      const row = live.get(key);
      if (row) objects[key] = asDeclared(row, declared);
    }
    for (const [key, row] of live) {
      if (key in state.objects || !isOwned(key)) continue;
      const { id: _, ...properties } = row;
      objects[key] = properties;
    }
    return { target: state.target, objects };
  }

  /** Takes the declared rows back; domains stay, and so does what a server holds that cannot be reached. */
  async delete(state: RegistryState, log: Log): Promise<void> {
    const api = this.#api(state);
    if (!(await canBeAsked(api, log))) return;
    // First what names a route, then the route: Stalwart's own strategy delivers straight to the MX.
    const strategy = {
      route: { match: { 0: { if: "is_local_domain(rcpt_domain)", then: "'local'" } }, else: "'mx'" },
    };
    await api.set("MtaOutboundStrategy", { update: { singleton: strategy } }, {});
    const rows = planRows(await readRows(api, Object.keys(state.objects)), {}, state.objects);
    for (const { key, before } of rows.filter(({ key }) => key in state.objects)) {
      const id = before?.id ?? "";
      await api.set(objectOf(key), { destroy: [id] }, { [id]: key });
    }
    await api.reload();
    log(`${rows.length} settings deleted; domains and accounts stay`);
  }
}

/** A row in the declaration's own words wherever it says the same, so that only real differences show. */
function asDeclared(row: Row, declared: Json): Json {
  return Object.fromEntries(
    Object.entries(declared).map(([name, value]) => [
      name,
      sameValue(row[name], value, name) ? value : (row[name] ?? null),
    ]),
  );
}
