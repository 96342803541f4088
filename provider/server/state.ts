/**
 * What both generations' resources hold, in the program, in the state and between engine and
 * provider.
 */

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
export const bothOf = <T extends Omit<AccountState, "secret">>(before: T | undefined, now: T): T => ({
  ...before,
  ...now,
  emails: union(before?.emails, now.emails),
});

export const union = (some: readonly string[] = [], others: readonly string[]): string[] => [
  ...new Set([...some, ...others]),
];

/**
 * What a deploy that was cut off, and could not put back what it had written, leaves in the state
 * of either generation.
 */
export interface Interruptible {
  /**
   * What stands beside it may be stored and not in force: so the next deploy restarts and probes
   * even where nothing differs. A preview shows that it goes.
   */
  interrupted?: boolean;
}

/** Where the server is. */
export interface Target {
  /** Docker daemon of Stalwart's container, as DOCKER_HOST has it. */
  dockerHost: string;
  /** Name of the container. */
  container: string;
  /** The API as seen from inside the container. */
  api: string;
}

/**
 * The id: which server it is. The settings lie in its data store, so another container of the same
 * name is the same server.
 */
export const idOf = ({ target }: { target: Target }): string => target.container;

/** The account that the API is logged in to. */
export interface AdminState {
  /** Login name. */
  name: string;
  /** bcrypt or SHA-512 crypt hash of its password. A Pulumi secret. */
  secret: string;
}

/** What became of the accounts. */
export interface SyncedAccounts {
  /** How many were written. */
  writes: number;
  /** Those whose password is the declared one. */
  passwordsInForce: string[];
}

export const DEFAULT_API = "http://127.0.0.1:8080";
