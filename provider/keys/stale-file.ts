/** config.toml of a live server, which it reads at its start alone. */
import { UserError } from "../../lib/errors.ts";
import type { SettingKeys } from "../../lib/desired-state/keys/keys.ts";
import type { StalwartApi } from "./api.ts";
import type { SettingsState } from "./state.ts";

/** What a server has that the entrypoint has started with an administrator of last resort. */
const LAST_RESORT = "authentication.fallback-admin.user";

/**
 * Keys of config.toml whose live value differs, or that it should not have any more. The file is
 * read at start only.
 */
export async function staleFileKeys(
  api: StalwartApi,
  desired: SettingsState,
  previous: SettingsState | undefined,
): Promise<string[]> {
  const before: SettingKeys = previous?.fileSettings ?? {};
  const keys = Object.keys({ ...before, ...desired.fileSettings });
  if (desired.admin) keys.push(LAST_RESORT);
  const live = await api.readSettings(keys, []);
  return keys.filter((key) => live[key] !== desired.fileSettings[key]);
}

/** @throws UserError when the file that was read at the start is not the declared one */
export async function checkFile(
  api: StalwartApi,
  desired: SettingsState,
  previous: SettingsState | undefined,
): Promise<void> {
  const still = await staleFileKeys(api, desired, previous);
  if (still.length === 0) return;
  throw new UserError(
    `config.toml in ${api.transport.name} does not hold what is declared for ${still.join(", ")}`,
    {
      path: still[0] ?? "",
      hint: "Make the container anew, with its files: pulumi up --replace <URN of the container>",
    },
  );
}
