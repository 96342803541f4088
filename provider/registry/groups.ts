/**
 * Groups of 0.16 and later: mailboxes that accounts share. They hold mail, so a deploy makes and
 * completes them, and never destroys one. Who is in a group stands at each account (x:UserAccount,
 * `memberGroupIds`).
 */
import type { Mailbox } from "./aliases.ts";
import type { Groups, GroupState } from "../server/state.ts";
import type { Log } from "../plugin/log.ts";
import { completion, inForce, mailboxRow, readAll } from "./accounts.ts";
import type { Changes, RegistryApi, Row } from "./jmap.ts";
import type { RegistryState } from "./state.ts";

type Json = Record<string, unknown>;
type Accounts = Readonly<Record<string, Mailbox>>;
type People = Pick<RegistryState, "accounts" | "groups">;

const isMember = (account: Row | undefined, group: Row | undefined): boolean =>
  group !== undefined && ((account?.["memberGroupIds"] ?? {}) as Json)[group.id] === true;

/**
 * Makes the groups that are missing, completes the others, and then says at the accounts whose
 * members they are: two requests.
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
  const { domains, rows } = await readAll(api, { ...membersOf(desired, accounts, previous), ...desired });
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
  const update: Record<string, Json> = {};
  const members: Record<string, string> = {};
  for (const { account, name, member, group, isDeclared } of changedMembers(desired, rows, previous)) {
    log(`${isDeclared ? "putting" : "taking"} ${member} ${isDeclared ? "into" : "out of"} group ${name}`);
    // A member of a set goes with null (registry/src/types/map.rs); groups that are not named stay.
    (update[account.id] ??= {})[`memberGroupIds/${group?.id ?? ""}`] = isDeclared ? true : null;
    members[account.id] = member;
  }
  const writes = Object.keys(update).length;
  if (writes > 0) await api.set("Account", { update }, members);
  return Object.keys(names).length + writes;
}

/**
 * Who was added by hand stays; whom the last deploy has declared and this one does not is taken
 * out.
 */
function changedMembers(desired: Groups, rows: ReadonlyMap<string, Row>, previous: Groups) {
  return Object.entries(desired).flatMap(([name, { members }]) =>
    [...new Set([...members, ...(previous[name]?.members ?? [])])].flatMap((member) => {
      const [account, group, isDeclared] = [rows.get(member), rows.get(name), members.includes(member)];
      if (!account || isMember(account, group) === isDeclared) return [];
      return [{ account, name, member, group, isDeclared }];
    }),
  );
}

/**
 * Accounts that are members of the groups by either declaration; nobody else's row is asked for.
 */
function membersOf(desired: Groups, accounts: Accounts, previous: Groups = {}): Accounts {
  const names = Object.entries(desired).flatMap(([name, { members }]) => [
    ...members,
    ...(previous[name]?.members ?? []),
  ]);
  return Object.fromEntries(names.flatMap((name) => (accounts[name] ? [[name, accounts[name]]] : [])));
}

/**
 * Accounts and groups that are there and are to be completed → the properties that would be
 * written.
 */
export async function incompletePeople(
  api: RegistryApi,
  { accounts, groups = {} }: People,
  previous: People | undefined,
): Promise<Map<string, string[]>> {
  const mailboxes: Accounts = { ...accounts, ...groups };
  const before: Accounts = { ...previous?.accounts, ...previous?.groups };
  const { domains, rows } = await readAll(api, mailboxes);
  const joining = changedMembers(groups, rows, previous?.groups ?? {}).map(({ member }) => member);
  const incomplete = new Map<string, string[]>();
  for (const [name, mailbox] of Object.entries(mailboxes)) {
    const live = rows.get(name);
    if (!live) continue;
    const paths = Object.keys(completion(live, mailbox, before[name], domains));
    if (joining.includes(name)) paths.push("memberGroupIds");
    if (paths.length > 0)
      incomplete.set(
        name,
        paths.map((path) => path.split("/")[0] ?? path),
      );
  }
  return incomplete;
}

/**
 * The groups that are there, with those of their declared addresses and members that are theirs.
 */
export async function readGroups(
  api: RegistryApi,
  declared: Groups,
  accounts: Accounts,
): Promise<Record<string, GroupState>> {
  if (Object.keys(declared).length === 0) return {};
  const { domains, rows } = await readAll(api, { ...membersOf(declared, accounts), ...declared });
  return Object.fromEntries(
    Object.entries(declared).flatMap(([name, group]) => {
      const live = rows.get(name);
      if (!live) return [];
      const members = group.members.filter((member) => isMember(rows.get(member), live));
      return [[name, { ...inForce(live, group, domains), members }]];
    }),
  );
}
