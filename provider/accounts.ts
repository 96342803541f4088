/**
 * Domains and accounts. They hold people's mail, so a deploy makes and completes them and never deletes one. A password is set when the
 * account is made and when its declared hash changes: not put back when its owner has changed it.
 */
import type { PrincipalUpdate, StalwartApi } from "./api.ts";
import type { AccountState, SettingsState } from "./state.ts";

type Log = (message: string) => void;

/** Makes the domains that are missing. @returns how many were made */
export async function syncDomains(api: StalwartApi, desired: SettingsState, log: Log): Promise<number> {
  let writes = 0;
  for (const domain of desired.domains) {
    const live = await api.principal(domain);
    if (live && live.type !== "domain")
      throw new Error(`${domain} is a ${live.type} in ${api.transport.name}, not a domain`);
    if (live) continue;
    log(`making domain ${domain}`);
    await api.createPrincipal({ type: "domain", name: domain });
    writes++;
  }
  return writes;
}

/** Makes the accounts that are missing, and completes the others. @returns how many were written */
export async function syncAccounts(
  api: StalwartApi,
  desired: SettingsState,
  previous: SettingsState | undefined,
  log: Log,
): Promise<number> {
  let writes = 0;
  for (const [name, account] of Object.entries(desired.accounts)) {
    const live = await api.principal(name);
    if (live && live.type !== "individual")
      throw new Error(`${name} is a ${live.type} in ${api.transport.name}, not an account`);
    if (!live) {
      log(`making account ${name}`);
      await api.createPrincipal({
        type: "individual",
        name,
        emails: account.emails,
        secrets: [account.secret],
        roles: ["user"],
      });
      writes++;
      continue;
    }
    const updates = accountUpdates(live, account, previous?.accounts[name]);
    if (updates.length === 0) continue;
    log(`updating ${[...new Set(updates.map((update) => update.field))].join(" and ")} of account ${name}`);
    await api.updatePrincipal(name, updates);
    writes++;
  }
  return writes;
}

/**
 * What must change in an account that exists. Addresses and app passwords that its owner has added stay.
 *
 * @param previous the account in the last deploy, when it was there
 */
export function accountUpdates(
  live: { emails: string[]; secrets: string[] },
  desired: AccountState,
  previous: AccountState | undefined,
): PrincipalUpdate[] {
  const updates: PrincipalUpdate[] = [];
  const gone = (previous?.emails ?? []).filter(
    (email) => !desired.emails.includes(email) && live.emails.includes(email),
  );
  for (const email of desired.emails.filter((e) => !live.emails.includes(e))) {
    updates.push({ action: "addItem", field: "emails", value: email });
  }
  for (const email of gone) updates.push({ action: "removeItem", field: "emails", value: email });
  if (previous && previous.secret !== desired.secret && !live.secrets.includes(desired.secret)) {
    // Takes the place of the password, and leaves app passwords and one-time codes alone (directory/src/backend/internal/manage.rs).
    updates.push({ action: "addItem", field: "secrets", value: desired.secret });
  }
  return updates;
}
