/**
 * People's accounts of 0.16 and later. They hold mail, so a deploy makes and completes them, and
 * never destroys one. An account is its own address, by which its owner logs in
 * (common/src/auth/authentication.rs). The server shows no hash: a password is written when the
 * account is made and when its declared hash is another one than in the last deploy, not when its
 * owner has changed it. Which ones were written, the claim says: the state may be lost, or the
 * resource made anew, while the accounts stay.
 */
import { createHash } from "node:crypto";
import { PartialError } from "../plugin/partial-error.ts";
import type { SyncedAccounts, AccountState } from "../server/state.ts";
import { splitAddress } from "../../lib/email-address.ts";
import type { Log } from "../plugin/log.ts";
import { passwordOf } from "./admin.ts";
import { type Changes, RefusedError, type RegistryApi, type Row } from "./jmap.ts";
import { CLAIM, CLAIM_ROW, objectOf, readRows } from "./plan.ts";
import { changedAliases, aliasesOf, aliasOf, numbered, type Domains, type Mailbox } from "./aliases.ts";

type Json = Record<string, unknown>;
type Accounts = Readonly<Record<string, AccountState>>;

/**
 * Says of a password that it was written, and nothing of the password: the hash that it is made of
 * is salted.
 */
const fingerprintOf = (name: string, { secret }: AccountState): string =>
  createHash("sha256").update(`${name}:${secret}`).digest("hex").slice(0, 16);

/** The claim's words: those fingerprints. */
const WRITTEN = "Passwords written: ";
const fingerprintsIn = (claim: Row | undefined): string[] => {
  const words = String(claim?.["description"] ?? "");
  return words.startsWith(WRITTEN) ? words.slice(WRITTEN.length).split(" ") : [];
};

/** The one quota that is declared; others are nobody's business here. */
const DISK = "maxDiskQuota";

/** Bytes; null is no limit. */
const quotaOf = (live: Row): number | null =>
  ((live["quotas"] ?? {}) as Record<string, number>)[DISK] ?? null;

/**
 * Makes the accounts that are missing and completes the others, all in one request.
 *
 * @throws PartialError when the server refuses some of them: the others are written, and the state
 *   is to know it
 */
export async function syncAccounts(
  api: RegistryApi,
  desired: Accounts,
  previous: Accounts,
  log: Log,
): Promise<SyncedAccounts> {
  const { claim, domains, rows } = await readAll(api, desired);
  const written = new Set(fingerprintsIn(claim));
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
    const before = previous[name];
    const update = completion(live, account, before, domains);
    if (before && before.secret !== account.secret) {
      update[`credentials/${passwordOf(live)[0]}/secret`] = account.secret;
      passwordsInForce.push(name);
    } else if (written.has(fingerprintOf(name, account))) passwordsInForce.push(name);
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
  await noteWritten(api, claim, written, desired, previous, passwordsInForce);
  try {
    if (writes > 0) await api.set("Account", changes, names);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const refused = new Set(error.refused.map((id) => names[id]));
    throw new PartialError(error, undefined, {
      accounts: { ...previous, ...without(desired, refused) },
      passwordsInForce: passwordsInForce.filter((name) => !refused.has(name)),
    });
  }
  return { writes, passwordsInForce };
}

/**
 * Before the passwords themselves: one that is noted and was not written is written by the next
 * deploy, one that was written and not noted would be taken for its owner's.
 */
async function noteWritten(
  api: RegistryApi,
  claim: Row | undefined,
  noted: Set<string>,
  desired: Accounts,
  previous: Accounts,
  names: readonly string[],
): Promise<void> {
  const before = [...noted].join(" ");
  for (const name of names) {
    const [account, former] = [desired[name], previous[name]];
    if (former) noted.delete(fingerprintOf(name, former));
    if (account) noted.add(fingerprintOf(name, account));
  }
  const now = [...noted].join(" ");
  if (now === before) return;
  const description = WRITTEN + now;
  const change = claim
    ? { update: { [claim.id]: { description } } }
    : { create: { claim: { ...CLAIM_ROW, description } } };
  await api.set(objectOf(CLAIM), change, { [claim?.id ?? "claim"]: CLAIM });
}

/** What is to be written of an account or a group that is there, but for who may log in. */
export function completion(live: Row, mailbox: Mailbox, before: Mailbox | undefined, domains: Domains): Json {
  const aliases = changedAliases(live, mailbox, before, domains);
  const quota = mailbox.quota ?? (before?.quota === undefined ? quotaOf(live) : null);
  return {
    ...(aliases && { aliases }),
    ...(quota !== quotaOf(live) && { [`quotas/${DISK}`]: quota }),
  };
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
      return [[name, { ...account, ...inForce(live, account, domains) }]];
    }),
  );
}

/** Of what is declared of a mailbox, that which is there. */
export function inForce(
  live: Row,
  { emails: [own = "", ...aliases], quota }: Mailbox,
  domains: Domains,
): Mailbox {
  const there = new Set(aliasesOf(live, domains).map(({ email }) => email));
  const emails = [own, ...aliases.filter((alias) => there.has(alias))];
  return { emails, ...(quota !== undefined && { quota: quotaOf(live) ?? 0 }) };
}

/** The rows of those that are there, by name. */
export async function readAll(
  api: RegistryApi,
  accounts: Readonly<Record<string, Mailbox>>,
): Promise<{ claim: Row | undefined; domains: Domains; rows: Map<string, Row> }> {
  const names = Object.keys(accounts);
  if (names.length === 0) return { claim: undefined, domains: new Map(), rows: new Map() };
  const found = await readRows(api, ["Domain", CLAIM]);
  const ofDomains = [...found].filter(([key]) => objectOf(key) === "Domain");
  const domains = new Map(ofDomains.map(([key, { id }]) => [key.slice("Domain/".length), id]));
  const known = names.filter((name) => domains.has(splitAddress(accounts[name]?.emails[0] ?? "")[1]));
  const rows = await api.find(
    "Account",
    known.map((account) => {
      const [name, domain] = splitAddress(accounts[account]?.emails[0] ?? "");
      return { name, domainId: domains.get(domain) };
    }),
  );
  return {
    claim: found.get(CLAIM),
    domains,
    rows: new Map(known.flatMap((name, i) => (rows[i] ? [[name, rows[i]] as const] : []))),
  };
}

const rowOf = (account: AccountState, domains: Domains): Json => ({
  ...mailboxRow("User", account, domains),
  roles: { "@type": "User" },
  credentials: { 0: { "@type": "Password", secret: account.secret } },
});

/** A new row, but for who may log in. */
export function mailboxRow(type: "User" | "Group", { emails, quota }: Mailbox, domains: Domains): Json {
  const [name, domain] = splitAddress(emails[0] ?? "");
  return {
    "@type": type,
    name,
    domainId: domains.get(domain),
    ...(quota !== undefined && { quotas: { [DISK]: quota } }),
    aliases: numbered(emails.slice(1).map((email) => aliasOf(email, domains))),
  };
}
