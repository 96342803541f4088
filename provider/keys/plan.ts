/** What is live, and what must be written to make it as desired. */
import { inGroup, ownedGroups } from "../../lib/desired-state/keys/keys.ts";
import type { SettingKeys } from "../../lib/desired-state/keys/keys.ts";
import type { StalwartApi } from "./api.ts";

/** The difference between live settings and desired ones. */
export interface SettingsPlan {
  set: [key: string, value: string][];
  remove: string[];
}

/**
 * What must be written. A key is removed when the last deploy declared it and this one does not, or
 * when it is a stranger in an owned group.
 *
 * @param previous settings of the last deploy, or {}
 */
export function planSettings(live: SettingKeys, desired: SettingKeys, previous: SettingKeys): SettingsPlan {
  const groups = ownedGroups(desired);
  // A relay's credentials are in its group but belong to config.toml; deleting them would rewrite
  // that file.
  const foreign = (key: string) => !/^queue\.route\.[^.]+\.auth\./.test(key);
  return {
    set: Object.entries(desired).filter(([key, value]) => live[key] !== value),
    remove: Object.keys(live)
      .filter((key) => !(key in desired) && foreign(key))
      .filter((key) => key in previous || groups.some((group) => inGroup(key, group))),
  };
}

/** Live settings: every key that is declared or was, and everything in an owned group. */
export function readLive(api: StalwartApi, ...declared: SettingKeys[]): Promise<SettingKeys> {
  const all = Object.assign({}, ...declared) as SettingKeys;
  const groups = ownedGroups(all);
  const keys = Object.keys(all).filter((key) => !groups.some((group) => inGroup(key, group)));
  return api.readSettings(keys, groups);
}
