/**
 * Brings a live server to the desired state: read, write what differs, reload, read again, compare.
 * Every step may be repeated.
 */
import { checkFile, staleFileKeys } from "./stale-file.ts";
import type { SyncedAccounts } from "../server/state.ts";
import { UserError } from "../../lib/errors.ts";
import { APPLIED_KEY, type SettingKeys } from "../../lib/desired-state/keys/keys.ts";
import { deleteLists, syncAccounts, syncDomains, syncLists } from "./accounts.ts";
import { syncAdmin } from "./admin.ts";
import type { StalwartApi } from "./api.ts";
import { fetchDownloads } from "./downloads.ts";
import { syncGroups } from "./groups.ts";
import type { Log } from "../plugin/log.ts";
import { planSettings, readLive } from "./plan.ts";
import { probeRoute } from "../server/probe.ts";
import { waitUntilReady } from "../server/wait-until-ready.ts";
import { checkPorts, restartServer } from "../server/restart.ts";
import { concernsRouting, routesOf, routingDiffers, submissionOf } from "./routing.ts";
import type { SettingsState } from "./state.ts";
import { putBack, writeMarker, writePlan } from "./write.ts";

export interface Convergence {
  /**
   * How many settings, domains, accounts and lists were written or deleted, and downloads fetched.
   * 0 when the server was as desired.
   */
  writes: number;
  restarted: boolean;
  /** Accounts whose password is the declared one. */
  passwordsInForce: string[];
}

export interface ConvergeOptions {
  /** Milliseconds to wait for the API; default 60,000. */
  readyDeadline?: number;
  /** Milliseconds to wait for a probe's way; default 15,000. */
  probeDeadline?: number;
  /** Says what is being done; never a value. */
  log?: Log;
}

/**
 * Makes the server as desired. It is restarted at most once: when it runs with an older
 * config.toml, which is read at start only, and when mail goes another way than before, after which
 * a probe proves the new one (lesson 12).
 *
 * @param previous the state of the last deploy, when there is one
 * @throws UserError that names key and reason, when a write or a reload is refused or does not read
 *   back, or mail takes another route
 */
export async function converge(
  api: StalwartApi,
  desired: SettingsState,
  previous?: SettingsState,
  options: ConvergeOptions = {},
): Promise<Convergence> {
  const log: Log = options.log ?? (() => undefined);
  await waitUntilReady(api, options.readyDeadline);
  // Before any restart, which takes the administrator of last resort away.
  const admins = desired.admin ? await syncAdmin(api, desired.admin, log) : 0;

  const before = previous?.settings ?? {};
  const live = await readLive(api, desired.settings, before);
  const plan = planSettings(live, desired.settings, before);
  const written = [...plan.set.map(([key]) => key), ...plan.remove];
  // Also with nothing to write: an earlier run may have been killed between its writes and its
  // restart.
  const reroutes =
    previous?.interrupted === true ||
    written.some(concernsRouting) ||
    routingDiffers(desired.settings, before);

  const stale = await staleFileKeys(api, desired, previous);
  const marker = desired.settings[APPLIED_KEY];
  // From a data store without the marker the API alone is served, with another file, until it is
  // restarted (lib/stalwart/recovery.sh).
  const held = stale.length > 0 && live[APPLIED_KEY] !== marker;
  const why = held
    ? "it has served the API alone so far"
    : `it runs with other values of ${stale.join(", ")} than config.toml is to have`;
  if (stale.length > 0 && !held && !reroutes) {
    log(`restarting Stalwart: ${why}`);
    await restartServer(api, options.readyDeadline);
    await checkFile(api, desired, previous);
  }
  let domains: number;
  let accounts: SyncedAccounts;
  let others: number;
  try {
    await writePlan(api, plan, log);
    domains = await syncDomains(api, desired, log);
    others = await deleteLists(api, desired, previous, log);
    accounts = await syncAccounts(api, desired, previous, log);
    others += await syncGroups(api, desired, previous, log);
    others += await syncLists(api, desired, log);
    // Also with nothing to write: an earlier run may have been killed between its writes and its
    // reload.
    const refusal = await reload(api, reroutes && stale.length > 0 && !held);
    await writeMarker(api, plan, log);
    if (reroutes || held) {
      const reasons = [
        ...(reroutes ? ["mail goes another way (lesson 12)"] : []),
        ...(stale.length > 0 ? [why] : []),
      ];
      log(`restarting Stalwart: ${reasons.join(", and ")}`);
      await restartServer(api, options.readyDeadline);
      await checkFile(api, desired, previous);
      if (refusal !== undefined) await api.reload();
    }
    await verify(api, desired, before);
    if (reroutes) await probe(api, desired, options.probeDeadline, log);
  } catch (error) {
    // What an earlier deploy has completed is served again as it was, whether or not it has left
    // the marker.
    const complete = isComplete(previous, live) && marker !== undefined;
    await putBack(api, plan, complete ? { ...live, [APPLIED_KEY]: marker } : live, error, log);
    throw error;
  }
  // Last, and nothing is put back for it: mail goes its way without rules as well.
  const fetched = await fetchDownloads(api, desired, previous, log);
  await checkPorts(api.transport);
  return {
    writes: written.length + admins + domains + accounts.writes + others + fetched,
    restarted: reroutes || stale.length > 0,
    passwordsInForce: accounts.passwordsInForce,
  };
}

/**
 * Whether the data store has every setting of the last deploy; the marker came with a later version
 * of tailwart than some.
 */
function isComplete(previous: SettingsState | undefined, live: SettingKeys): boolean {
  return (
    previous !== undefined &&
    Object.keys(previous.settings).every((key) => key === APPLIED_KEY || key in live)
  );
}

/**
 * @param later an older config.toml may be the reason for a refusal: then it is to be repeated
 *   after the restart
 * @returns the refusal that counts only if it is repeated
 */
async function reload(api: StalwartApi, later: boolean): Promise<unknown> {
  try {
    await api.reload();
    return undefined;
  } catch (error) {
    if (later && error instanceof UserError) return error;
    throw error;
  }
}

async function probe(
  api: StalwartApi,
  desired: SettingsState,
  deadline: number | undefined,
  log: Log,
): Promise<void> {
  await probeRoute({
    transport: api.transport,
    submission: submissionOf(desired.fileSettings),
    routes: routesOf(desired.settings),
    queue: api,
    log,
    ...(deadline !== undefined && { deadline }),
  });
}

async function verify(api: StalwartApi, desired: SettingsState, before: SettingKeys): Promise<void> {
  const { set, remove } = planSettings(
    await readLive(api, desired.settings, before),
    desired.settings,
    before,
  );
  const wrong = [...set.map(([key]) => key), ...remove];
  if (wrong.length === 0) return;
  throw new UserError(`${wrong.join(", ")} in ${api.transport.name}: what was written does not read back`, {
    path: wrong[0] ?? "",
    hint: "Somebody else may be writing settings at the same time. Run `pulumi up` again.",
  });
}
