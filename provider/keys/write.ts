/** Writes to the settings of a live server, and takes them back. */
import { UserError, wordsOf } from "../../lib/errors.ts";
import { APPLIED_KEY, writePhase } from "../../lib/desired-state/keys/keys.ts";
import type { SettingKeys } from "../../lib/desired-state/keys/keys.ts";
import type { SettingsChange, StalwartApi } from "./api.ts";
import type { Log } from "../plugin/log.ts";
import { PartialError } from "../plugin/partial-error.ts";
import type { SettingsPlan } from "./plan.ts";

/**
 * One request a phase. A batch is one transaction of the data store (config.rs, `set`), so no
 * strategy ever names a route that is not there.
 */
export async function writePlan(api: StalwartApi, plan: SettingsPlan, log: Log): Promise<void> {
  for (const phase of [0, 1]) {
    const values = plan.set.filter(([key]) => writePhase(key) === phase);
    // Rules of an if-block that are no longer there go with the write of the rest.
    const remove = phase === 1 ? plan.remove.filter((key) => writePhase(key) === 1) : [];
    await write(api, values, remove, log);
  }
  const routes = plan.remove.filter((key) => writePhase(key) === 0);
  await write(api, [], routes, log);
}

/**
 * Says in the data store that a deploy is complete in it: the entrypoint serves no mail from one
 * that does not say so.
 */
export async function writeMarker(api: StalwartApi, { set }: SettingsPlan, log: Log): Promise<void> {
  await write(
    api,
    set.filter(([key]) => key === APPLIED_KEY),
    [],
    log,
  );
}

async function write(
  api: StalwartApi,
  values: [string, string][],
  remove: string[],
  log: Log,
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

/**
 * After a failure. What the server has refused to reload would come into force at its next start,
 * where a wrong route is merely logged and mail goes straight to the MX: so nothing of a failed
 * deploy may stay stored.
 *
 * @param live the settings before the plan was written
 * @throws PartialError when it could not be put back either
 */
export async function putBack(
  api: StalwartApi,
  plan: SettingsPlan,
  live: SettingKeys,
  cause: unknown,
  log: Log,
): Promise<void> {
  const touched = [...plan.set.map(([key]) => key), ...plan.remove];
  if (touched.length === 0) return;
  log(`putting back ${touched.join(", ")}`);
  const back: SettingsPlan = {
    set: touched.flatMap((key) => (live[key] === undefined ? [] : [[key, live[key]] as [string, string]])),
    remove: touched.filter((key) => live[key] === undefined),
  };
  try {
    await write(
      api,
      [],
      back.remove.filter((key) => key === APPLIED_KEY),
      log,
    );
    await writePlan(api, back, log);
    await api.reload();
    await writeMarker(api, back, log);
  } catch (error) {
    throw new PartialError(cause, error);
  }
}
