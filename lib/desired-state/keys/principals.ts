/**
 * Domains, accounts, groups and lists as the 0.15 line has them: as principals, which are no
 * settings.
 */
import { bytesOf } from "../domains.ts";
import type { StalwartSettings } from "../schema.ts";

/** An account in what both generations have of it. */
export interface Account {
  /** Addresses, its own first. */
  emails: string[];
  /** Bytes. */
  quota?: number;
}

/** A mailbox that accounts share. */
export interface Group extends Account {
  /** Names of accounts. */
  members: string[];
}

/**
 * What the server is to hold beside its settings. A catch-all is an address of its account that has
 * nothing before the @ (directory/src/core/dispatch.rs).
 *
 * @example toPrincipals(settings).accounts["alice"]?.emails
 * // ["alice@example.org", "@example.org"]
 */
export function toPrincipals(settings: StalwartSettings): {
  domains: string[];
  accounts: Record<string, Account>;
  groups: Record<string, Group>;
  /** Address of a mailing list → its recipients. */
  lists: Record<string, string[]>;
} {
  const domains = settings.domains.map(({ name }) => name);
  const accounts = toAccounts(settings);
  const groups = toGroups(settings);
  for (const { name, catchAll } of settings.domains)
    for (const { emails } of Object.values({ ...accounts, ...groups }))
      if (catchAll !== undefined && emails.includes(catchAll)) emails.push(`@${name}`);
  const lists = settings.lists.map(({ address, recipients }) => [address, [...recipients]]);
  return { domains, accounts, groups, lists: Object.fromEntries(lists) as Record<string, string[]> };
}

/** Accounts by name. */
export const toAccounts = ({ accounts }: StalwartSettings): Record<string, Account> =>
  Object.fromEntries(accounts.map((account) => [account.name, mailboxOf(account)]));

/** Groups by name. */
export const toGroups = ({ groups }: StalwartSettings): Record<string, Group> =>
  Object.fromEntries(
    groups.map((group) => [group.name, { ...mailboxOf(group), members: [...group.members] }]),
  );

const mailboxOf = ({ emails, quota }: Omit<StalwartSettings["accounts"][number], "name">): Account => ({
  emails: [...emails],
  ...(quota !== undefined && { quota: bytesOf(quota) }),
});
