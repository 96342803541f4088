/** The resource `tailwart:mail:Registry`: the settings of Stalwart 0.16 and later. */
import type { ServedResource } from "../plugin/served-resource.ts";
import { PartialError } from "../plugin/partial-error.ts";
import { DEFAULT_API, idOf, interruptedGroups } from "../server/state.ts";
import { registryRoutesOf, registrySubmissionOf } from "./routing.ts";
import { type TransportFactory, viaDocker } from "../server/transport.ts";
import type { RegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import type { Log } from "../plugin/log.ts";
import { probeRoute } from "../server/probe.ts";
import { canBeAsked, isThere, QUICK_DEADLINE, waitUntilReady } from "../server/wait-until-ready.ts";
import { readAccounts, syncAccounts } from "./accounts.ts";
import { checkRegistryInputs } from "./check.ts";
import { readGroups, syncGroups } from "./groups.ts";
import { convergeRegistry } from "./converge.ts";
import { RegistryApi, type Row, type LiveRows } from "./jmap.ts";
import {
  CLAIM,
  CLAIM_ROW,
  DEFAULT_CONNECTION,
  isOwned,
  MARKER,
  objectOf,
  planRows,
  readRows,
  sameValue,
  type Write,
} from "./plan.ts";
import { registryQueue } from "./queue.ts";
import { withReferences } from "./references.ts";
import type { RegistryState } from "./state.ts";
import { registryWire } from "./rows-on-wire.ts";
import { refuseTakeOver } from "./take-over.ts";

type Json = Record<string, unknown>;

export class RegistryResource implements ServedResource<RegistryState> {
  readonly #transport: TransportFactory;
  readonly #readyDeadline: number | undefined;

  /** @param readyDeadline milliseconds that a deploy waits for the API */
  constructor(transport: TransportFactory = viaDocker, readyDeadline?: number) {
    this.#transport = transport;
    this.#readyDeadline = readyDeadline;
  }

  wire = registryWire;
  check = checkRegistryInputs;
  outputs = { passwordsInForce: ["accounts"] };
  idOf = idOf;
  trace = {
    marker: `objects["${MARKER}"]`,
    isApplied: (state: RegistryState) => this.#isApplied(state),
  };

  async #isApplied(state: RegistryState): Promise<boolean> {
    if (!(MARKER in state.objects)) return true;
    const api = this.#api(state);
    await waitUntilReady(api, QUICK_DEADLINE);
    if (!(await readRows(api, [MARKER])).has(MARKER)) return false;
    return !(state.admin && (await api.isLastResort()));
  }

  withDefaults(inputs: Json): Json {
    const { target } = inputs;
    return {
      accounts: {},
      groups: {},
      takeOver: false,
      ...inputs,
      ...(typeof target === "object" && { target: { api: DEFAULT_API, ...target } }),
    };
  }

  /**
   * Rows of both declarations may be stored, so both count as made by a deploy; accounts are
   * written once nothing is put back any more.
   */
  interrupted(news: RegistryState, olds: RegistryState | undefined): RegistryState {
    return {
      ...news,
      objects: { ...olds?.objects, ...news.objects },
      accounts: olds?.accounts ?? {},
      groups: interruptedGroups(news.groups, olds?.groups),
      passwordsInForce: olds?.passwordsInForce ?? [],
      interrupted: true,
    };
  }

  #api({ target }: RegistryState): RegistryApi {
    return new RegistryApi(this.#transport(target), target.api);
  }

  async apply(desired: RegistryState, previous: RegistryState | undefined, log: Log): Promise<RegistryState> {
    const api = this.#api(desired);
    await waitUntilReady(api, this.#readyDeadline);
    const probe = () =>
      probeRoute({
        transport: api.transport,
        submission: registrySubmissionOf(desired.objects),
        routes: registryRoutesOf(desired.objects),
        queue: registryQueue(api),
        log,
      });
    const interrupted = previous?.interrupted === true;
    const { admin, accounts, groups = {} } = desired;
    // A state without the marker is of an older deploy, and one that was cut off has asked before.
    const asks = !desired.takeOver && !interrupted && (!previous || MARKER in previous.objects);
    let people: Pick<RegistryState, "accounts" | "passwordsInForce"> | undefined;
    const options = {
      readyDeadline: this.#readyDeadline,
      probe,
      interrupted,
      log,
      accounts: async () => {
        const { writes, passwordsInForce } = await syncAccounts(api, accounts, previous?.accounts ?? {}, log);
        people = { accounts, passwordsInForce };
        const all = { ...previous?.accounts, ...accounts };
        return writes + (await syncGroups(api, groups, all, previous?.groups ?? {}, log));
      },
      ...(asks && {
        mayBegin: (plan: readonly Write[]) => refuseTakeOver(api, plan, desired, previous),
      }),
      ...(admin && { admin: { ...admin, changed: admin.secret !== previous?.admin?.secret } }),
    };
    const converging = convergeRegistry(api, desired.objects, previous?.objects ?? {}, options);
    const done = await converging.catch((error: unknown) => {
      // From the accounts on nothing is put back, and the next deploy is to know whose passwords it
      // has set.
      throw people ? new PartialError(error, undefined, people) : error;
    });
    log(`${done.writes} written, reloaded${done.restarted ? ", restarted" : ""}, read back`);
    return { ...desired, ...people };
  }

  /**
   * Hand edits show as differences of the declared properties, strangers among owned rows as
   * additions.
   */
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
    const { target, admin, accounts, groups, passwordsInForce, interrupted } = state;
    const people = await readAccounts(api, accounts);
    return {
      target,
      objects,
      accounts: people,
      ...(groups && { groups: await readGroups(api, groups, accounts) }),
      ...(passwordsInForce && { passwordsInForce: passwordsInForce.filter((name) => name in people) }),
      ...(admin && { admin }),
      ...(interrupted === true && { interrupted: true }),
      ...(state.withoutGuards && { withoutGuards: state.withoutGuards }),
    };
  }

  /**
   * Takes the declared rows back; domains and the claim stay, and so does what a server holds that
   * cannot be reached.
   */
  async delete(state: RegistryState, log: Log): Promise<void> {
    const api = this.#api(state);
    if (!(await canBeAsked(api, log))) return;
    // One that is deployed again finds what it has left, and is to ask nobody.
    const live = await readRows(api, [...Object.keys(state.objects), CLAIM]);
    if (!live.has(CLAIM)) await api.set(objectOf(CLAIM), { create: { claim: CLAIM_ROW } }, { claim: CLAIM });
    // First what names a route, then the route: Stalwart's own strategy delivers straight to the
    // MX.
    const strategy = {
      route: { match: { 0: { if: "is_local_domain(rcpt_domain)", then: "'local'" } }, else: "'mx'" },
    };
    await api.set("MtaOutboundStrategy", { update: { singleton: strategy } }, {});
    const rows = planRows(live, {}, state.objects).filter(
      ({ key }) => key in state.objects && key !== DEFAULT_CONNECTION,
    );
    for (const { key, kind, properties, before } of rows) {
      const id = before?.id ?? "singleton";
      const change = kind === "destroy" ? { destroy: [id] } : { update: { [id]: properties } };
      await api.set(objectOf(key), change, { [id]: key });
    }
    await api.reload();
    log(`${rows.length} settings deleted; domains and accounts stay`);
  }
}

/**
 * A row in the declaration's own words wherever it says the same, so that only real differences
 * show.
 */
function asDeclared(row: Row, declared: Json, rows: LiveRows): Json {
  return Object.fromEntries(
    Object.entries(declared).map(([name, value]) => {
      const live = withReferences(row[name], value, rows);
      return [name, sameValue(live, value, name) ? value : (live ?? null)];
    }),
  );
}
