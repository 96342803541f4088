/** Further addresses of an account or a group, as the registry has them. */
import { splitAddress } from "../../lib/email-address.ts";
import type { Row } from "./jmap.ts";
import type { AccountState } from "../server/state.ts";

type Json = Record<string, unknown>;
/** What accounts and groups have in common. */
export type Mailbox = Omit<AccountState, "secret">;

/** Domain → id of its row. */
export type Domains = ReadonlyMap<string, string>;

/**
 * The whole list as it is to be, when it is not: what its owner has added stays, what the last
 * deploy has made and this one does not declare goes.
 */
export function changedAliases(
  live: Row,
  { emails }: Mailbox,
  before: Mailbox | undefined,
  domains: Domains,
): Json | undefined {
  const wanted = emails.slice(1);
  const there = aliasesOf(live, domains);
  const missing = wanted.filter((email) => !there.some((alias) => alias.email === email));
  const stays = ({ email }: { email: string }) => !before?.emails.includes(email) || wanted.includes(email);
  if (missing.length === 0 && there.every(stays)) return undefined;
  const kept = there.filter(stays).map(({ alias }) => alias);
  return numbered([...kept, ...missing.map((email) => aliasOf(email, domains))]);
}

/** Aliases in force, by address. */
export function aliasesOf(live: Row, domains: Domains): { email: string; alias: Json }[] {
  const nameOf = new Map([...domains].map(([domain, id]) => [id, domain]));
  return Object.values((live["aliases"] ?? {}) as Record<string, Json>)
    .filter((alias) => alias["enabled"] !== false)
    .map((alias) => ({
      email: `${String(alias["name"])}@${nameOf.get(String(alias["domainId"])) ?? ""}`,
      alias,
    }));
}

export function aliasOf(email: string, domains: Domains): Json {
  const [name, domain] = splitAddress(email);
  return { enabled: true, name, domainId: domains.get(domain) };
}

export const numbered = (list: readonly Json[]): Json => Object.fromEntries(list.map((each, i) => [i, each]));
