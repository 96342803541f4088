/** The resource `tailwart:mail:Settings`: what the engine's calls mean for a mail server. */
import type { ServedResource } from "../plugin/served-resource.ts";
import { type TransportFactory, viaDocker } from "../server/transport.ts";
import { type AccountState, type GroupState, idOf } from "../server/state.ts";
import { APPLIED_KEY, ownedGroups, inGroup } from "../../lib/desired-state/keys/keys.ts";
import { deleteLists, hasPassword } from "./accounts.ts";
import { StalwartApi } from "./api.ts";
import { checkInputs, withDefaults } from "./check.ts";
import { converge } from "./converge.ts";
import type { Log } from "../plugin/log.ts";
import { planSettings, readLive } from "./plan.ts";
import { canBeAsked, isThere, QUICK_DEADLINE, waitUntilReady } from "../server/wait-until-ready.ts";
import { interruptedState, type SettingsState } from "./state.ts";

export class SettingsResource implements ServedResource<SettingsState> {
  readonly #transport: TransportFactory;

  constructor(transport: TransportFactory = viaDocker) {
    this.#transport = transport;
  }

  outputs = { passwordsInForce: ["accounts"] };
  withDefaults = withDefaults;
  check = checkInputs;
  interrupted = interruptedState;
  idOf = idOf;
  trace = {
    marker: `settings["${APPLIED_KEY}"]`,
    isApplied: (state: SettingsState) => this.#isApplied(state),
  };

  async #isApplied(state: SettingsState): Promise<boolean> {
    if (!(APPLIED_KEY in state.settings)) return true;
    const api = this.#api(state);
    await waitUntilReady(api, QUICK_DEADLINE);
    return APPLIED_KEY in (await api.readSettings([APPLIED_KEY], []));
  }

  #api(state: SettingsState): StalwartApi {
    return new StalwartApi(this.#transport(state.target), state.target.api);
  }

  /** Creation and update are one: bring the server there, from wherever it is. */
  async apply(desired: SettingsState, previous: SettingsState | undefined, log: Log): Promise<SettingsState> {
    const done = await converge(this.#api(desired), desired, previous, { log });
    log(`${done.writes} written${done.restarted ? ", restarted" : ""}, reloaded, read back`);
    return { ...desired, passwordsInForce: done.passwordsInForce };
  }

  /**
   * The live server in the terms of the state: hand edits show as differences, strangers in owned
   * groups as additions. A container that is not there any more counts as gone, so that the next
   * `up` sets it up anew.
   *
   * @returns undefined when it is gone
   */
  async read(state: SettingsState): Promise<SettingsState | undefined> {
    const api = this.#api(state);
    if (!(await isThere(api))) return undefined;
    const live = await readLive(api, state.settings);
    const groups = ownedGroups(state.settings);
    const settings = select(live, (key) => key in state.settings || isStranger(key, groups, state));
    const liveFile = await api.readSettings(Object.keys(state.fileSettings), []);
    const fileSettings = select(liveFile, (key) => key in state.fileSettings);

    const domains: string[] = [];
    for (const domain of state.domains) if (await api.principal(domain)) domains.push(domain);
    const accounts: Record<string, AccountState> = {};
    const passwordsInForce: string[] = [];
    for (const [name, account] of Object.entries(state.accounts)) {
      const principal = await api.principal(name);
      if (!principal) continue;
      // The password is the account owner's to change: what was set is what the state keeps.
      accounts[name] = {
        ...account,
        emails: account.emails.filter((e) => principal.emails.includes(e)),
        ...(account.quota !== undefined && { quota: principal.quota }),
      };
      if (hasPassword(principal, account)) passwordsInForce.push(name);
    }
    const shared: Record<string, GroupState> = {};
    for (const [name, group] of Object.entries(state.groups ?? {})) {
      const live = await api.principal(name);
      if (!live) continue;
      const { emails, members, quota } = group;
      shared[name] = {
        emails: emails.filter((e) => live.emails.includes(e)),
        members: members.filter((m) => live.members.includes(m)),
        ...(quota !== undefined && { quota: live.quota }),
      };
    }
    const lists: Record<string, string[]> = {};
    for (const [address, recipients] of Object.entries(state.lists ?? {})) {
      const live = await api.principal(address);
      if (live) lists[address] = inOrderOf(recipients, live.externalMembers);
    }
    // Gone counts as a difference; a changed password locks the provider out, which the entrypoint
    // sees to.
    const admin = state.admin && (await api.principal(state.admin.name)) ? { admin: state.admin } : {};
    const left = state.interrupted === true ? { interrupted: true } : {};
    return {
      target: state.target,
      settings,
      fileSettings,
      domains,
      accounts,
      ...(state.groups && { groups: shared }),
      ...(state.lists && { lists }),
      passwordsInForce,
      ...admin,
      ...left,
      ...(state.withoutGuards && { withoutGuards: state.withoutGuards }),
    };
  }

  /**
   * Takes back the settings and lists that were declared; Stalwart's own defaults hold then.
   * Domains, accounts and their mail stay, and so does config.toml, which goes with the container.
   * A server that is gone or does not run keeps its settings in Postgres, where the next `up` finds
   * them: an unreachable database must not make a stack impossible to destroy.
   */
  async delete(state: SettingsState, log: Log): Promise<void> {
    const api = this.#api(state);
    if (!(await canBeAsked(api, log))) return;
    await deleteLists(api, {}, state, log);
    const { remove } = planSettings(await readLive(api, state.settings), {}, state.settings);
    if (remove.length === 0) return;
    // In the opposite order of a deploy: first what names a route, then the route.
    remove.sort((a, b) => Number(b.startsWith("queue.strategy.")) - Number(a.startsWith("queue.strategy.")));
    await api.writeSettings([{ type: "delete", keys: remove }]);
    await api.reload();
    log(`${remove.length} settings deleted; domains and accounts stay`);
  }
}

/** What is there, in the declaration's order, so that only real differences show. */
const inOrderOf = (declared: readonly string[], live: readonly string[]): string[] => [
  ...declared.filter((each) => live.includes(each)),
  ...live.filter((each) => !declared.includes(each)),
];

function isStranger(key: string, groups: string[], state: SettingsState): boolean {
  return groups.some((group) => inGroup(key, group)) && !(key in state.fileSettings) && !/\.auth\./.test(key);
}

function select(map: Record<string, string>, keep: (key: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(map)
      .filter(([key]) => keep(key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
