/** Brings a live server to the desired state: read, write what differs, reload, read again, compare. Every step may be repeated. */
import { UserError, wordsOf } from "../lib/errors.ts";
import { writePhase } from "../lib/settings/keys.ts";
import type { SettingKeys } from "../lib/settings/keys.ts";
import { syncAccounts, syncDomains } from "./accounts.ts";
import type { SettingsChange, StalwartApi } from "./api.ts";
import { READY_DEADLINE, waitUntilReady } from "./ready.ts";
import { planSettings, readLive } from "./plan.ts";
import type { SettingsPlan } from "./plan.ts";
import type { SettingsState } from "./state.ts";

export interface Convergence {
  /** How many settings, domains and accounts were written or deleted. 0 when the server was as desired. */
  writes: number;
  restarted: boolean;
}

export interface ConvergeOptions {
  /** Milliseconds to wait for the API; default 60,000. */
  readyDeadline?: number;
  /** Says what is being done; never a value. */
  log?: (message: string) => void;
}

/** Keys of config.toml whose live value differs, or that it should not have any more. */
async function staleFileKeys(api: StalwartApi, desired: SettingKeys, before: SettingKeys): Promise<string[]> {
  const keys = Object.keys({ ...before, ...desired });
  const live = await api.readSettings(keys, []);
  return keys.filter((key) => live[key] !== desired[key]);
}

/**
 * Makes the server as desired.
 *
 * @param previous the state of the last deploy, when there is one
 * @throws UserError that names key and reason, when a write or a reload is refused or does not read back
 */
export async function converge(
  api: StalwartApi,
  desired: SettingsState,
  previous?: SettingsState,
  options: ConvergeOptions = {},
): Promise<Convergence> {
  const log = options.log ?? (() => undefined);
  await waitUntilReady(api, options.readyDeadline);
  const restarted = await freshenFile(api, desired, previous?.fileSettings ?? {}, options);

  const before = previous?.settings ?? {};
  const live = await readLive(api, desired.settings, before);
  const plan = planSettings(live, desired.settings, before);
  try {
    await writePlan(api, plan, log);
    const people = (await syncDomains(api, desired, log)) + (await syncAccounts(api, desired, previous, log));
    // Also with nothing to write: an earlier run may have been killed between its writes and its reload.
    await api.reload();
    await verify(api, desired, before);
    return { writes: plan.set.length + plan.remove.length + people, restarted };
  } catch (error) {
    await putBack(api, plan, live, error, log);
    throw error;
  }
}

/**
 * After a failure. What the server has refused to reload would come into force at its next start, where a wrong route is merely logged
 * and mail goes straight to the MX: so nothing of a failed deploy may stay stored.
 *
 * @throws PartialError when it could not be put back either
 */
async function putBack(
  api: StalwartApi,
  plan: SettingsPlan,
  live: SettingKeys,
  cause: unknown,
  log: (message: string) => void,
): Promise<void> {
  const touched = [...plan.set.map(([key]) => key), ...plan.remove];
  if (touched.length === 0) return;
  log(`putting back ${touched.join(", ")}`);
  const back: SettingsPlan = {
    set: touched.flatMap((key) => (live[key] === undefined ? [] : [[key, live[key]] as [string, string]])),
    remove: touched.filter((key) => live[key] === undefined),
  };
  try {
    await writePlan(api, back, log);
    await api.reload();
  } catch (error) {
    throw new PartialError(cause, error);
  }
}

/** A deploy that failed and left some of its settings stored. */
export class PartialError extends UserError {
  constructor(cause: unknown, second: unknown) {
    super(`${wordsOf(cause)}\n  and the settings from before could not be put back: ${wordsOf(second)}`, {
      cause,
      hint: "Run `pulumi up` again as soon as the cause is mended: until then some of the new settings are stored.",
    });
    this.name = "PartialError";
  }
}

/** The file is read at start only, so a server that runs with other values is restarted, once. */
async function freshenFile(
  api: StalwartApi,
  desired: SettingsState,
  before: SettingKeys,
  options: ConvergeOptions,
): Promise<boolean> {
  const stale = await staleFileKeys(api, desired.fileSettings, before);
  if (stale.length === 0) return false;
  options.log?.(
    `restarting Stalwart: it runs with other values of ${stale.join(", ")} than config.toml is to have`,
  );
  const result = await api.transport.restart(60_000);
  if (result.status !== 0)
    throw new Error(`${api.transport.name} could not be restarted: ${result.stderr.trim()}`);
  await waitUntilReady(api, options.readyDeadline ?? READY_DEADLINE);
  const still = await staleFileKeys(api, desired.fileSettings, before);
  if (still.length > 0) {
    throw new UserError(
      `config.toml in ${api.transport.name} does not hold what is declared for ${still.join(", ")}`,
      {
        path: still[0] ?? "",
        hint: "Make the container anew, with its files: pulumi up --replace <URN of the container>",
      },
    );
  }
  return true;
}

/** One request a phase. A batch is one transaction of the data store (config.rs, `set`), so no strategy ever names a route that is not there. */
async function writePlan(
  api: StalwartApi,
  plan: SettingsPlan,
  log: (message: string) => void,
): Promise<void> {
  for (const phase of [0, 1]) {
    const values = plan.set.filter(([key]) => writePhase(key) === phase);
    // Rules of an if-block that are no longer there go with the write of the rest.
    const remove = phase === 1 ? plan.remove.filter((key) => writePhase(key) === 1) : [];
    await write(api, values, remove, log);
  }
  await write(
    api,
    [],
    plan.remove.filter((key) => writePhase(key) === 0),
    log,
  );
}

async function write(
  api: StalwartApi,
  values: [string, string][],
  remove: string[],
  log: (message: string) => void,
): Promise<void> {
  const changes: SettingsChange[] = [];
  if (remove.length > 0) changes.push({ type: "delete", keys: remove });
  if (values.length > 0) changes.push({ type: "insert", prefix: null, values, assert_empty: false });
  if (changes.length === 0) return;
  const keys = [...values.map(([key]) => key), ...remove];
  log(`writing ${keys.join(", ")}`);
  try {
    await api.writeSettings(changes);
  } catch (error) {
    throw new UserError(`writing ${keys.join(", ")} failed: ${wordsOf(error)}`, {
      path: keys[0] ?? "",
      cause: error,
    });
  }
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
