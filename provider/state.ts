/** The resource's properties, as they stand in the program, in the state and between engine and provider. */

import type { AdminState } from "./admin.ts";

export interface AccountState {
  /** Addresses, the account's own first. */
  emails: string[];
  /** Bytes that its mail may take. Without it there is no limit, or one that was set by hand. */
  quota?: number;
  /** bcrypt or SHA-512 crypt hash of the first password. A Pulumi secret. */
  secret: string;
}

/** A mailbox that accounts share, by the same name as an account's. */
export interface GroupState extends Omit<AccountState, "secret"> {
  /** Names of accounts. */
  members: string[];
}

export type Groups = Readonly<Record<string, GroupState>>;

/** Groups after a deploy that was cut off: members and addresses of both declarations may be in. */
export function interruptedGroups(news: Groups = {}, olds: Groups = {}): Groups {
  const both = Object.entries(news).map(([name, group]) => [
    name,
    { ...bothOf(olds[name], group), members: union(olds[name]?.members, group.members) },
  ]);
  return { ...olds, ...(Object.fromEntries(both) as Groups) };
}

/** A mailbox with the addresses of both declarations, and a quota that either has. */
const bothOf = <T extends Omit<AccountState, "secret">>(before: T | undefined, now: T): T => ({
  ...before,
  ...now,
  emails: union(before?.emails, now.emails),
});

const union = (some: readonly string[] = [], others: readonly string[]): string[] => [
  ...new Set([...some, ...others]),
];

/** What a deploy that was cut off, and could not put back what it had written, leaves in the state of either generation. */
export interface Interruptible {
  /**
   * What stands beside it may be stored and not in force: so the next deploy restarts and probes even where nothing differs. A preview shows that it goes.
   */
  interrupted?: boolean;
}

export interface SettingsState extends Interruptible {
  target: {
    /** Docker daemon of Stalwart's container, as DOCKER_HOST has it. */
    dockerHost: string;
    /** Name of the container. */
    container: string;
    /** The API as seen from inside the container. */
    api: string;
  };
  /** Keys that are written through the API: toSettingKeys(). */
  settings: Record<string, string>;
  /** Keys of config.toml: toFileKeys(). Never written by the provider; compared, so that a container with an older file is noticed. */
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
}

/**
 * The state after a deploy that could put nothing back: what it has declared and what the one before had may both be stored, and the next
 * deploy takes back what it does not declare itself.
 */
export function interruptedState(news: SettingsState, olds: SettingsState | undefined): SettingsState {
  const accounts = Object.entries(news.accounts).map(([name, account]) => {
    const before = olds?.accounts[name];
    if (!before) return [name, account];
    // Whether a new password was set is not known: no hash is equal to this one, so the declared one is compared with the live ones.
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

/** What the engine sends in the place of a value that is not known yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const DEFAULT_API = "http://127.0.0.1:8080";
