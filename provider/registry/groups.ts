/**
 * Groups of 0.16 and later: mailboxes that accounts share. They hold mail, so a deploy makes and completes them, and never destroys one.
 * Who is in a group stands at each account (x:UserAccount, `memberGroupIds`).
 */
import type { Log } from "../log.ts";
import type { Groups, GroupState } from "../state.ts";
import { completion, inForce, type Mailbox, mailboxRow, readAll } from "./accounts.ts";
import type { Changes, RegistryApi, Row } from "./jmap.ts";

type Json = Record<string, unknown>;
type Accounts = Readonly<Record<string, Mailbox>>;

const isMember = (account: Row | undefined, group: Row | undefined): boolean =>
  group !== undefined && ((account?.["memberGroupIds"] ?? {}) as Json)[group.id] === true;

/**
 * Makes the groups that are missing, completes the others, and then says at the accounts whose members they are: two requests.
 *
 * @param accounts those of this deploy and of the last one
 * @returns how many rows were written
 */
export async function syncGroups(
  api: RegistryApi,
  desired: Groups,
  accounts: Accounts,
  previous: Groups,
  log: Log,
): Promise<number> {
  if (Object.keys(desired).length === 0) return 0;
  const { domains, rows } = await readAll(api, { ...accounts, ...desired });
  const changes: Required<Changes> = { create: {}, update: {}, destroy: [] };
  const names: Record<string, string> = {};
  for (const [name, group] of Object.entries(desired)) {
    const live = rows.get(name);
    if (live && live["@type"] !== "Group")
      throw new Error(`${name} is a ${String(live["@type"])} in ${api.transport.name}, not a group`);
    const update = live && completion(live, group, previous[name], domains);
    if (update && Object.keys(update).length === 0) continue;
    log(`${live ? "updating" : "making"} group ${name}`);
    const id = live?.id ?? `group${Object.keys(names).length}`;
    if (update) changes.update[id] = update;
    else changes.create[id] = mailboxRow("Group", group, domains);
    names[id] = name;
  }
  const made = Object.keys(names).length > 0 ? await api.set("Account", changes, names) : {};
  for (const [id, rowId] of Object.entries(made)) rows.set(names[id] ?? "", { id: rowId });
  return Object.keys(names).length + (await syncMembers(api, desired, rows, previous, log));
}

/** Who was added by hand stays; whom the last deploy has declared and this one does not is taken out. */
async function syncMembers(
  api: RegistryApi,
  desired: Groups,
  rows: ReadonlyMap<string, Row>,
  previous: Groups,
  log: Log,
): Promise<number> {
  const update: Record<string, Json> = {};
  const names: Record<string, string> = {};
  for (const [name, { members }] of Object.entries(desired)) {
    const group = rows.get(name);
    for (const member of new Set([...members, ...(previous[name]?.members ?? [])])) {
      const account = rows.get(member);
      const isDeclared = members.includes(member);
      if (!account || isMember(account, group) === isDeclared) continue;
      log(`${isDeclared ? "putting" : "taking"} ${member} ${isDeclared ? "into" : "out of"} group ${name}`);
      (update[account.id] ??= {})[`memberGroupIds/${group?.id ?? ""}`] = isDeclared ? true : null;
      names[account.id] = member;
    }
  }
  const writes = Object.keys(update).length;
  if (writes > 0) await api.set("Account", { update }, names);
  return writes;
}

/** The groups that are there, with those of their declared addresses and members that are theirs. */
export async function readGroups(
  api: RegistryApi,
  declared: Groups,
  accounts: Accounts,
): Promise<Record<string, GroupState>> {
  if (Object.keys(declared).length === 0) return {};
  const { domains, rows } = await readAll(api, { ...accounts, ...declared });
  return Object.fromEntries(
    Object.entries(declared).flatMap(([name, group]) => {
      const live = rows.get(name);
      if (!live) return [];
      const members = group.members.filter((member) => isMember(rows.get(member), live));
      return [[name, { ...inForce(live, group, domains), members }]];
    }),
  );
}
