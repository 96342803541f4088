/**
 * The properties of `tailwart:mail:Settings`, in the program, in the state and between engine and
 * provider.
 */
import type { LeftOut } from "../../lib/guards.ts";
import {
  type AccountState,
  type AdminState,
  bothOf,
  type Groups,
  interruptedGroups,
  type Interruptible,
  type Target,
  union,
} from "../server/state.ts";

export interface SettingsState extends Interruptible {
  target: Target;
  /** Keys that are written through the API: toSettingKeys(). */
  settings: Record<string, string>;
  /**
   * Keys of config.toml: toFileKeys(). Never written by the provider; compared, so that a container
   * with an older file is noticed.
   */
  fileSettings: Record<string, string>;
  /** Domains whose mail is taken. Never deleted by a deploy. */
  domains: string[];
  /** Accounts by login name. Never deleted by a deploy. */
  accounts: Record<string, AccountState>;
  /** Groups by name. Never deleted by a deploy. */
  groups?: Groups;
  /** Mailing lists: address → recipients. One that is not declared any more is deleted. */
  lists?: Record<string, string[]>;
  /** An output: the accounts whose password is the declared one. */
  passwordsInForce?: string[];
  /** The account that the API is logged in to. Without it, it is somebody else's matter. */
  admin?: AdminState;
  /** Lessons whose guard is left out. In a lab alone. */
  withoutGuards?: LeftOut;
}

/**
 * The state after a deploy that could put nothing back: what it has declared and what the one
 * before had may both be stored, and the next deploy takes back what it does not declare itself.
 */
export function interruptedState(news: SettingsState, olds: SettingsState | undefined): SettingsState {
  const accounts = Object.entries(news.accounts).map(([name, account]) => {
    const before = olds?.accounts[name];
    if (!before) return [name, account];
    // Whether a new password was set is not known: no hash is equal to this one, so the declared
    // one is compared with the live ones.
    const secret = before.secret === account.secret ? account.secret : "";
    return [name, { ...bothOf(before, account), secret }];
  });
  return {
    ...news,
    settings: { ...olds?.settings, ...news.settings },
    fileSettings: { ...olds?.fileSettings, ...news.fileSettings },
    domains: union(olds?.domains, news.domains),
    accounts: { ...olds?.accounts, ...(Object.fromEntries(accounts) as SettingsState["accounts"]) },
    groups: interruptedGroups(news.groups, olds?.groups),
    lists: { ...olds?.lists, ...news.lists },
    interrupted: true,
  };
}
