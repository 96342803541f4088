/** Brings a live server to the desired state: read, write what differs, reload, read again, compare. Every step may be repeated. */
import { UserError } from "../lib/errors.ts";
import type { SettingKeys } from "../lib/settings/keys.ts";
import { syncAccounts, syncDomains } from "./accounts.ts";
import type { StalwartApi } from "./api.ts";
import type { Log } from "./log.ts";
import { planSettings, readLive } from "./plan.ts";
import { probeRoute } from "./probe.ts";
import { waitUntilReady } from "./ready.ts";
import { checkFile, restartServer, staleFileKeys } from "./restart.ts";
import { concernsRouting, routesOf, routingDiffers, submissionOf } from "./routing.ts";
import type { SettingsState } from "./state.ts";
import { putBack, writePlan } from "./write.ts";

export interface Convergence {
  /** How many settings, domains and accounts were written or deleted. 0 when the server was as desired. */
  writes: number;
  restarted: boolean;
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
 * Makes the server as desired. It is restarted at most once: when it runs with an older config.toml, which is read at start only, and when
 * mail goes another way than before, after which a probe proves the new one (lesson 12).
 *
 * @param previous the state of the last deploy, when there is one
 * @throws UserError that names key and reason, when a write or a reload is refused or does not read back, or mail takes another route
 */
export async function converge(
  api: StalwartApi,
  desired: SettingsState,
  previous?: SettingsState,
  options: ConvergeOptions = {},
): Promise<Convergence> {
  const log: Log = options.log ?? (() => undefined);
  await waitUntilReady(api, options.readyDeadline);

  const before = previous?.settings ?? {};
  const live = await readLive(api, desired.settings, before);
  const plan = planSettings(live, desired.settings, before);
  const written = [...plan.set.map(([key]) => key), ...plan.remove];
  // Also with nothing to write: an earlier run may have been killed between its writes and its restart.
  const reroutes =
    previous?.interrupted === true ||
    written.some(concernsRouting) ||
    routingDiffers(desired.settings, before);

  const stale = await staleFileKeys(api, desired, previous);
  const why = `it runs with other values of ${stale.join(", ")} than config.toml is to have`;
  if (stale.length > 0 && !reroutes) {
    log(`restarting Stalwart: ${why}`);
    await restartServer(api, options.readyDeadline);
    await checkFile(api, desired, previous);
  }
  try {
    await writePlan(api, plan, log);
    const people = (await syncDomains(api, desired, log)) + (await syncAccounts(api, desired, previous, log));
    // Also with nothing to write: an earlier run may have been killed between its writes and its reload.
    const refusal = await reload(api, reroutes && stale.length > 0);
    if (reroutes) {
      log(`restarting Stalwart: mail goes another way${stale.length > 0 ? `, and ${why}` : ""} (lesson 12)`);
      await restartServer(api, options.readyDeadline);
      await checkFile(api, desired, previous);
      if (refusal !== undefined) await api.reload();
    }
    await verify(api, desired, before);
    if (reroutes) await probe(api, desired, options.probeDeadline, log);
    return { writes: written.length + people, restarted: reroutes || stale.length > 0 };
  } catch (error) {
    await putBack(api, plan, live, error, log);
    throw error;
  }
}

/**
 * @param later an older config.toml may be the reason for a refusal: then it is to be repeated after the restart
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
