/**
 * Domains, accounts and mailing lists. The first two hold people's mail, so a deploy makes and
 * completes them and never deletes one. A password is set when the account is made and when its
 * declared hash changes: not put back when its owner has changed it.
 */
import type { SyncedAccounts } from "../server/state.ts";
import type { AccountState } from "../server/state.ts";
import { withAllPermissions } from "./admin.ts";
import type { Principal, PrincipalUpdate, StalwartApi } from "./api.ts";
import type { Log } from "../plugin/log.ts";
import type { SettingsState } from "./state.ts";

/** A type of principal → as errors call one. */
const CALLED = { domain: "a domain", individual: "an account", group: "a group", list: "a mailing list" };

/** The principal of a name, when there is one. @throws Error when it is of another type */
export async function principalOf(
  api: StalwartApi,
  name: string,
  type: keyof typeof CALLED,
): Promise<Principal | undefined> {
  const live = await api.principal(name);
  if (live && live.type !== type)
    throw new Error(`${name} is a ${live.type} in ${api.transport.name}, not ${CALLED[type]}`);
  return live;
}

/** Makes the domains that are missing. @returns how many were made */
export async function syncDomains(api: StalwartApi, desired: SettingsState, log: Log): Promise<number> {
  let writes = 0;
  for (const domain of desired.domains) {
    if (await principalOf(api, domain, "domain")) continue;
    log(`making domain ${domain}`);
    await api.createPrincipal({ type: "domain", name: domain });
    writes++;
  }
  return writes;
}

/**
 * Deletes the lists that are declared no more: no mail lies in one, and its address may be an
 * account's or a group's now.
 *
 * @returns how many
 */
export async function deleteLists(
  api: StalwartApi,
  { lists = {} }: Pick<SettingsState, "lists">,
  previous: SettingsState | undefined,
  log: Log,
): Promise<number> {
  let writes = 0;
  for (const address of Object.keys(previous?.lists ?? {})) {
    if (address in lists || (await api.principal(address))?.type !== "list") continue;
    log(`deleting mailing list ${address}`);
    await api.deletePrincipal(address);
    writes++;
  }
  return writes;
}

/**
 * Makes and completes mailing lists. Every recipient is an external member, since those are
 * addresses, and a server looks each up when mail comes (smtp/src/inbound/rcpt.rs).
 *
 * @returns how many were written
 */
export async function syncLists(api: StalwartApi, { lists = {} }: SettingsState, log: Log): Promise<number> {
  let writes = 0;
  for (const [address, recipients] of Object.entries(lists)) {
    const live = await principalOf(api, address, "list");
    if (live && isSameSet(live.externalMembers, recipients)) continue;
    log(`${live ? "updating" : "making"} mailing list ${address}`);
    if (live)
      await api.updatePrincipal(address, [{ action: "set", field: "externalMembers", value: recipients }]);
    else
      await api.createPrincipal({
        type: "list",
        name: address,
        emails: [address],
        externalMembers: recipients,
      });
    writes++;
  }
  return writes;
}

const isSameSet = (some: readonly string[], others: readonly string[]): boolean =>
  new Set(some).size === new Set(others).size && some.every((each) => others.includes(each));

/** Makes the accounts that are missing, and completes the others. */
export async function syncAccounts(
  api: StalwartApi,
  desired: SettingsState,
  previous: SettingsState | undefined,
  log: Log,
): Promise<SyncedAccounts> {
  let writes = 0;
  const passwordsInForce: string[] = [];
  for (const [name, account] of Object.entries(desired.accounts)) {
    const live = await principalOf(api, name, "individual");
    if (!live) {
      log(`making account ${name}`);
      const { emails, secret, quota = 0 } = account;
      await withAllPermissions(api, desired.admin, () =>
        api.createPrincipal({ type: "individual", name, emails, secrets: [secret], roles: ["user"], quota }),
      );
      writes++;
      passwordsInForce.push(name);
      continue;
    }
    const updates = accountUpdates(live, account, previous?.accounts[name]);
    if (hasPassword(live, account) || updates.some(({ field }) => field === "secrets"))
      passwordsInForce.push(name);
    else if (!previous?.accounts[name])
      log(
        `account ${name} was there before and keeps its password: the one made for it is not set`,
        "warning",
      );
    if (updates.length === 0) continue;
    log(`updating ${[...new Set(updates.map((update) => update.field))].join(" and ")} of account ${name}`);
    await api.updatePrincipal(name, updates);
    writes++;
  }
  return { writes, passwordsInForce };
}

/**
 * Whether an account's password is the declared one: not of one that had its own, or has a new one.
 */
export function hasPassword(live: { secrets: string[] }, { secret }: AccountState): boolean {
  return live.secrets.includes(secret);
}

/**
 * What must change in an account that exists. Addresses and app passwords that its owner has added
 * stay.
 *
 * @param previous the account in the last deploy, when it was there
 */
export function accountUpdates(
  live: { emails: string[]; secrets: string[]; quota?: number },
  desired: AccountState,
  previous: AccountState | undefined,
): PrincipalUpdate[] {
  const updates = mailboxUpdates(live, desired, previous);
  if (previous && previous.secret !== desired.secret && !hasPassword(live, desired)) {
    // Takes the place of the password, and leaves app passwords and one-time codes alone
    // (directory/src/backend/internal/manage.rs).
    updates.push({ action: "addItem", field: "secrets", value: desired.secret });
  }
  return updates;
}

type Mailbox = Omit<AccountState, "secret">;

/**
 * What must change in an account or a group that exists, but for who may log in. Addresses that
 * were added by hand stay.
 */
export function mailboxUpdates(
  live: { emails: string[]; quota?: number },
  desired: Mailbox,
  previous: Mailbox | undefined,
): PrincipalUpdate[] {
  const updates = itemUpdates("emails", live.emails, desired.emails, previous?.emails);
  // One that was set by hand stays where none is declared, and goes with the declaration that it
  // came from.
  const { quota: own = 0 } = live;
  const quota = desired.quota ?? (previous?.quota === undefined ? own : 0);
  if (quota !== own) updates.push({ action: "set", field: "quota", value: quota });
  return updates;
}

/**
 * What is declared is added, what the last deploy has declared and this one does not is taken away.
 */
export function itemUpdates(
  field: "emails" | "members",
  live: readonly string[],
  desired: readonly string[],
  previous: readonly string[] = [],
): PrincipalUpdate[] {
  const gone = previous.filter((value) => !desired.includes(value) && live.includes(value));
  const missing = desired.filter((value) => !live.includes(value));
  return [
    ...missing.map((value) => ({ action: "addItem" as const, field, value })),
    ...gone.map((value) => ({ action: "removeItem" as const, field, value })),
  ];
}
