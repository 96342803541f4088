/**
 * Shared mailboxes of the 0.15 line, which their members see as a folder. They hold mail, so a
 * deploy makes and completes them and never deletes one; one that is declared no more stays with
 * its members.
 */
import type { GroupState } from "../server/state.ts";
import { itemUpdates, mailboxUpdates, principalOf } from "./accounts.ts";
import { withAllPermissions } from "./admin.ts";
import type { PrincipalUpdate, StalwartApi } from "./api.ts";
import type { Log } from "../plugin/log.ts";
import type { SettingsState } from "./state.ts";

/**
 * Makes the groups that are missing, and completes the others: after the accounts that are their
 * members.
 *
 * @returns how many were written
 */
export async function syncGroups(
  api: StalwartApi,
  { groups = {}, admin }: SettingsState,
  previous: SettingsState | undefined,
  log: Log,
): Promise<number> {
  let writes = 0;
  for (const [name, group] of Object.entries(groups)) {
    const live = await principalOf(api, name, "group");
    if (!live) {
      log(`making group ${name}`);
      const { emails, members, quota = 0 } = group;
      // Without a role Stalwart refuses its mail (email/src/message/delivery.rs), and none is given
      // later (manage.rs, `validate_member_of`).
      await withAllPermissions(api, admin, () =>
        api.createPrincipal({ type: "group", name, emails, members, roles: ["user"], quota }),
      );
      writes++;
      continue;
    }
    const before = previous?.groups?.[name];
    if (!before && live.roles.length === 0)
      log(
        `group ${name} was there before and has no role: Stalwart refuses its mail unless it has the permission email-receive`,
        "warning",
      );
    const updates = groupUpdates(live, group, before);
    if (updates.length === 0) continue;
    log(`updating ${[...new Set(updates.map((update) => update.field))].join(" and ")} of group ${name}`);
    await api.updatePrincipal(name, updates);
    writes++;
  }
  return writes;
}

/**
 * What must change in a group that exists. Members and addresses that were added by hand stay.
 *
 * @param previous the group in the last deploy, when it was there
 */
export const groupUpdates = (
  live: { emails: string[]; members: string[]; quota?: number },
  desired: GroupState,
  previous: GroupState | undefined,
): PrincipalUpdate[] => [
  ...mailboxUpdates(live, desired, previous),
  ...itemUpdates("members", live.members, desired.members, previous?.members),
];
