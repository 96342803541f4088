/** The resource `tailwart:mail:Registry`: the settings of Stalwart 0.16 and later. */
import type { RegistryObjects } from "../../lib/settings/registry.ts";
import type { Log } from "../log.ts";
import { probeRoute } from "../probe.ts";
import { canBeAsked, isThere, waitUntilReady } from "../ready.ts";
import { type TransportFactory, viaDocker } from "../resource.ts";
import { registryRoutesOf, registrySubmissionOf } from "../routing.ts";
import type { ServedResource } from "../server.ts";
import { DEFAULT_API } from "../state.ts";
import { checkRegistryInputs } from "./check.ts";
import { convergeRegistry } from "./converge.ts";
import { RegistryApi, type Row } from "./jmap.ts";
import { isOwned, type LiveRows, objectOf, planRows, readRows, sameValue } from "./plan.ts";
import { withReferences } from "./references.ts";
import type { RegistryState } from "./state.ts";

type Json = Record<string, unknown>;

export class RegistryResource implements ServedResource<RegistryState> {
  readonly #transport: TransportFactory;
  readonly #readyDeadline: number | undefined;

  /** @param readyDeadline milliseconds that a deploy waits for the API */
  constructor(transport: TransportFactory = viaDocker, readyDeadline?: number) {
    this.#transport = transport;
    this.#readyDeadline = readyDeadline;
  }

  check = checkRegistryInputs;

  withDefaults(inputs: Json): Json {
    const { target } = inputs;
    return typeof target === "object" ? { ...inputs, target: { api: DEFAULT_API, ...target } } : inputs;
  }

  /** Rows of both declarations may be stored, so both count as made by a deploy. */
  interrupted(news: RegistryState, olds: RegistryState | undefined): RegistryState {
    return { ...news, objects: { ...olds?.objects, ...news.objects }, interrupted: true };
  }

  #api({ target }: RegistryState): RegistryApi {
    return new RegistryApi(this.#transport(target), target.api);
  }

  async apply(desired: RegistryState, previous: RegistryState | undefined, log: Log): Promise<RegistryState> {
    const api = this.#api(desired);
    const ready = () => waitUntilReady(api, this.#readyDeadline);
    await ready();
    // The queue's API of this generation is not used: a probe that waits for another try stays until it expires.
    const probe = () =>
      probeRoute({
        transport: api.transport,
        submission: registrySubmissionOf(desired.objects),
        routes: registryRoutesOf(desired.objects),
        log,
      });
    const interrupted = previous?.interrupted === true;
    const options = { ready, probe, interrupted, log };
    const done = await convergeRegistry(api, desired.objects, previous?.objects ?? {}, options);
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
      if (row) objects[key] = asDeclared(row, declared, live);
    }
    for (const [key, row] of live) {
      if (key in state.objects || !isOwned(key)) continue;
      const { id: _, ...properties } = row;
      objects[key] = properties;
    }
    return { target: state.target, objects, ...(state.interrupted === true && { interrupted: true }) };
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
    for (const { key, kind, properties, before } of rows.filter(({ key }) => key in state.objects)) {
      const id = before?.id ?? "singleton";
      const change = kind === "destroy" ? { destroy: [id] } : { update: { [id]: properties } };
      await api.set(objectOf(key), change, { [id]: key });
    }
    await api.reload();
    log(`${rows.length} settings deleted; domains and accounts stay`);
  }
}

/** A row in the declaration's own words wherever it says the same, so that only real differences show. */
function asDeclared(row: Row, declared: Json, rows: LiveRows): Json {
  return Object.fromEntries(
    Object.entries(declared).map(([name, value]) => {
      const live = withReferences(row[name], value, rows);
      return [name, sameValue(live, value, name) ? value : (live ?? null)];
    }),
  );
}
