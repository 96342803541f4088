/**
 * People's accounts of 0.16 and later. They hold mail, so a deploy makes and completes them, and never destroys one. An account is its own
 * address, by which its owner logs in (common/src/auth/authentication.rs). The server shows no hash: a password is written when the
 * account is made and when its declared hash is another one than in the last deploy, not when its owner has changed it.
 */
import { splitAddress } from "../../lib/email-address.ts";
import type { SyncedAccounts } from "../accounts.ts";
import type { Log } from "../log.ts";
import type { AccountState } from "../state.ts";
import { PartialError } from "../write.ts";
import { passwordOf } from "./admin.ts";
import { type Changes, RefusedError, type RegistryApi, type Row } from "./jmap.ts";
import { readRows } from "./plan.ts";

type Json = Record<string, unknown>;
type Accounts = Readonly<Record<string, AccountState>>;

/** Domain → id of its row. */
type Domains = ReadonlyMap<string, string>;

/** The one quota that is declared; others are nobody's business here. */
const DISK = "maxDiskQuota";

/** Bytes; null is no limit. */
const quotaOf = (live: Row): number | null =>
  ((live["quotas"] ?? {}) as Record<string, number>)[DISK] ?? null;

/**
 * Makes the accounts that are missing and completes the others, all in one request.
 *
 * @throws PartialError when the server refuses some of them: the others are written, and the state is to know it
 */
export async function syncAccounts(
  api: RegistryApi,
  desired: Accounts,
  previous: { accounts?: Accounts; passwordsInForce?: readonly string[] },
  log: Log,
): Promise<SyncedAccounts> {
  const { domains, rows } = await readAll(api, desired);
  const changes: Required<Changes> = { create: {}, update: {}, destroy: [] };
  const names: Record<string, string> = {};
  const passwordsInForce: string[] = [];
  for (const [name, account] of Object.entries(desired)) {
    const live = rows.get(name);
    if (!live) {
      log(`making account ${name}`);
      const id = `account${Object.keys(names).length}`;
      changes.create[id] = rowOf(account, domains);
      names[id] = name;
      passwordsInForce.push(name);
      continue;
    }
    if (live["@type"] !== "User")
      throw new Error(`${name} is a ${String(live["@type"])} in ${api.transport.name}, not an account`);
    const before = previous.accounts?.[name];
    const update = completion(live, account, before, domains);
    if (before && before.secret !== account.secret) {
      update[`credentials/${passwordOf(live)[0]}/secret`] = account.secret;
      passwordsInForce.push(name);
    } else if (previous.passwordsInForce?.includes(name)) passwordsInForce.push(name);
    else if (!before)
      log(
        `account ${name} was there before and keeps its password: the one made for it is not set. ` +
          `To set it, make a new one: pulumi up --replace '**RandomPassword::*-account-${name}'`,
        "warning",
      );
    if (Object.keys(update).length === 0) continue;
    log(`updating account ${name}`);
    changes.update[live.id] = update;
    names[live.id] = name;
  }
  const writes = Object.keys(names).length;
  try {
    if (writes > 0) await api.set("Account", changes, names);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const refused = new Set(error.refused.map((id) => names[id]));
    throw new PartialError(error, undefined, {
      accounts: { ...previous.accounts, ...without(desired, refused) },
      passwordsInForce: passwordsInForce.filter((name) => !refused.has(name)),
    });
  }
  return { writes, passwordsInForce };
}

/** What is to be written of an account that is there, but for its password. */
function completion(
  live: Row,
  account: AccountState,
  before: AccountState | undefined,
  domains: Domains,
): Json {
  const aliases = changedAliases(live, account, before, domains);
  const quota = account.quota ?? (before?.quota === undefined ? quotaOf(live) : null);
  return {
    ...(aliases && { aliases }),
    ...(quota !== quotaOf(live) && { [`quotas/${DISK}`]: quota }),
  };
}

/** Accounts that are there and are to be completed → the properties that would be written. */
export async function incompleteAccounts(
  api: RegistryApi,
  desired: Accounts,
  previous: Accounts = {},
): Promise<Map<string, string[]>> {
  const { domains, rows } = await readAll(api, desired);
  const incomplete = new Map<string, string[]>();
  for (const [name, account] of Object.entries(desired)) {
    const live = rows.get(name);
    const paths = live ? Object.keys(completion(live, account, previous[name], domains)) : [];
    if (paths.length > 0)
      incomplete.set(
        name,
        paths.map((path) => path.split("/")[0] ?? path),
      );
  }
  return incomplete;
}

const without = (accounts: Accounts, names: ReadonlySet<string | undefined>): Accounts =>
  Object.fromEntries(Object.entries(accounts).filter(([name]) => !names.has(name)));

/** The accounts that are there, with those of their declared addresses that lead to them. */
export async function readAccounts(
  api: RegistryApi,
  declared: Accounts,
): Promise<Record<string, AccountState>> {
  const { domains, rows } = await readAll(api, declared);
  return Object.fromEntries(
    Object.entries(declared).flatMap(([name, account]) => {
      const live = rows.get(name);
      if (!live) return [];
      const [own = "", ...aliases] = account.emails;
      const there = new Set(aliasesOf(live, domains).map(({ email }) => email));
      const emails = [own, ...aliases.filter((alias) => there.has(alias))];
      const quota = account.quota !== undefined && { quota: quotaOf(live) ?? 0 };
      return [[name, { ...account, emails, ...quota }]];
    }),
  );
}

async function readAll(
  api: RegistryApi,
  accounts: Accounts,
): Promise<{ domains: Domains; rows: Map<string, Row> }> {
  const names = Object.keys(accounts);
  if (names.length === 0) return { domains: new Map(), rows: new Map() };
  const found = await readRows(api, ["Domain"]);
  const domains = new Map([...found].map(([key, { id }]) => [key.slice("Domain/".length), id]));
  const known = names.filter((name) => domains.has(splitAddress(accounts[name]?.emails[0] ?? "")[1]));
  const rows = await api.find(
    "Account",
    known.map((account) => {
      const [name, domain] = splitAddress(accounts[account]?.emails[0] ?? "");
      return { name, domainId: domains.get(domain) };
    }),
  );
  return {
    domains,
    rows: new Map(known.flatMap((name, i) => (rows[i] ? [[name, rows[i]] as const] : []))),
  };
}

function rowOf({ emails, quota, secret }: AccountState, domains: Domains): Json {
  const [name, domain] = splitAddress(emails[0] ?? "");
  return {
    "@type": "User",
    name,
    domainId: domains.get(domain),
    roles: { "@type": "User" },
    credentials: { 0: { "@type": "Password", secret } },
    ...(quota !== undefined && { quotas: { [DISK]: quota } }),
    aliases: numbered(emails.slice(1).map((email) => aliasOf(email, domains))),
  };
}

/** The whole list as it is to be, when it is not: what its owner has added stays, what the last deploy has made and this one does not declare goes. */
function changedAliases(
  live: Row,
  { emails }: AccountState,
  before: AccountState | undefined,
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
function aliasesOf(live: Row, domains: Domains): { email: string; alias: Json }[] {
  const nameOf = new Map([...domains].map(([domain, id]) => [id, domain]));
  return Object.values((live["aliases"] ?? {}) as Record<string, Json>)
    .filter((alias) => alias["enabled"] !== false)
    .map((alias) => ({
      email: `${String(alias["name"])}@${nameOf.get(String(alias["domainId"])) ?? ""}`,
      alias,
    }));
}

function aliasOf(email: string, domains: Domains): Json {
  const [name, domain] = splitAddress(email);
  return { enabled: true, name, domainId: domains.get(domain) };
}

const numbered = (list: readonly Json[]): Json => Object.fromEntries(list.map((each, i) => [i, each]));
