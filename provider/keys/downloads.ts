/**
 * What the 0.15 line fetches by itself: the spam filter's rules and the admin UI. It does so at its
 * first start alone, so a later change of where from has to be asked for; and where the first start
 * could not, it would put its default queue settings back at each further one (boot.rs).
 */
import { UserError, wordsOf } from "../../lib/errors.ts";
import type { StalwartApi } from "./api.ts";
import type { Log } from "../plugin/log.ts";
import type { SettingsState } from "./state.ts";

const RULES = "spam-filter.resource";
const VERSION = "version.spam-filter";
/** Version of the set that holds no rules; see NO_SPAM_RULES in lib/stalwart/files.ts. */
const NO_RULES = "0.0.1";
const UI = "webadmin.resource";
/** The server's own patience with a download is 60 s. */
const DEADLINE = 75_000;

const isFetched = (source: string | undefined): source is string =>
  source !== undefined && !source.startsWith("file://");

/**
 * Fetches what the server does not have from where it is declared to come.
 *
 * @param previous the state of the last deploy, when there is one
 * @returns how many were fetched
 * @throws UserError that names the source and why nothing came of it; the settings are in force all
 *   the same
 */
export async function fetchDownloads(
  api: StalwartApi,
  desired: SettingsState,
  previous: SettingsState | undefined,
  log: Log,
): Promise<number> {
  const moved = (key: string): boolean =>
    previous !== undefined &&
    (previous.interrupted === true || previous.fileSettings[key] !== desired.fileSettings[key]);
  let fetched = 0;

  const rules = desired.fileSettings[RULES] ?? "";
  const version = await versionOf(api);
  if (moved(RULES) || version === undefined || (version !== NO_RULES) !== isFetched(rules)) {
    // Whatever becomes of the download, the next start must not take this for the first one.
    if (version === undefined) await setVersion(api);
    log(`fetching spam rules from ${rules}`);
    // Without force only what is newer would be taken; a parameter without a value is none.
    await update(api, "spam-filter?force=true", rules, "spamRules");
    const now = await versionOf(api);
    if ((now !== NO_RULES) !== isFetched(rules))
      throw refused(api, rules, "spamRules", `it has rules of version ${now} now`);
    await api.reload();
    log(isFetched(rules) ? `spam rules ${now} are in force` : "the spam filter has no rules");
    fetched++;
  }

  const ui = desired.fileSettings[UI];
  if (moved(UI) && isFetched(ui)) {
    log(`fetching the admin UI from ${ui}`);
    await update(api, "webadmin", ui, "webUi");
    fetched++;
  }
  return fetched;
}

const versionOf = async (api: StalwartApi): Promise<string | undefined> =>
  (await api.readSettings([VERSION], []))[VERSION];

async function setVersion(api: StalwartApi): Promise<void> {
  const values: [string, string][] = [[VERSION, NO_RULES]];
  await api.writeSettings([{ type: "insert", prefix: null, values, assert_empty: false }]);
}

async function update(api: StalwartApi, what: string, source: string, field: string): Promise<void> {
  try {
    await api.request("GET", `/api/update/${what}`, undefined, DEADLINE);
  } catch (error) {
    throw refused(api, source, field, wordsOf(error));
  }
}

function refused({ transport }: StalwartApi, source: string, field: string, why: string): UserError {
  return new UserError(`Stalwart in ${transport.name} has not taken what is at ${source}: ${why}`, {
    path: `settings.${field}`,
    hint: `All other settings are in force. Write a URL that Stalwart reaches into tailwart:settings.${field}, or "none", and run \`pulumi up\` again.`,
  });
}
