/** Domains, accounts and lists as the 0.15 line has them: as principals, which are no settings. */
import { bytesOf } from "./domains.ts";
import type { StalwartSettings } from "./schema.ts";

/** An account in what both generations have of it. */
export interface Account {
  /** Addresses, its own first. */
  emails: string[];
  /** Bytes. */
  quota?: number;
}

/**
 * What the server is to hold beside its settings. A catch-all is an address of its account that has nothing before the @
 * (directory/src/core/dispatch.rs).
 *
 * @example toPrincipals(settings).accounts["alice"]?.emails // ["alice@example.org", "@example.org"]
 */
export function toPrincipals(settings: StalwartSettings): {
  domains: string[];
  accounts: Record<string, Account>;
  /** Address of a mailing list → its recipients. */
  lists: Record<string, string[]>;
} {
  const domains = settings.domains.map(({ name }) => name);
  const accounts = toAccounts(settings);
  for (const { name, catchAll } of settings.domains)
    for (const { emails } of Object.values(accounts))
      if (catchAll !== undefined && emails.includes(catchAll)) emails.push(`@${name}`);
  const lists = settings.lists.map(({ address, recipients }) => [address, [...recipients]]);
  return { domains, accounts, lists: Object.fromEntries(lists) as Record<string, string[]> };
}

/** Accounts by name. */
export const toAccounts = ({ accounts }: StalwartSettings): Record<string, Account> =>
  Object.fromEntries(
    accounts.map(({ name, emails, quota }) => [
      name,
      { emails: [...emails], ...(quota !== undefined && { quota: bytesOf(quota) }) },
    ]),
  );
