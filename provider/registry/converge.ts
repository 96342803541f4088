/**
 * Brings a live registry to the desired objects: read, write what differs, reload, read again,
 * compare, restart where needed.
 */
import { rowConcernsRouting } from "./routing.ts";
import type { AdminState } from "../server/state.ts";
import { UserError } from "../../lib/errors.ts";
import type { RegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import { checkPorts, restartServer } from "../server/restart.ts";
import { syncAdmin } from "./admin.ts";
import type { RegistryApi } from "./jmap.ts";
import { CLAIM, CLAIM_ROW, isTwin, MARKER, needsRestart, planRows, readRows, type Write } from "./plan.ts";
import { withIds } from "./references.ts";
import { giveTasks, retryFailedTasks, tasksFor } from "./tasks.ts";
import { batches, apply, undo } from "./apply.ts";

export interface RegistryConvergence {
  /** How many rows were written or destroyed; 0 when the server was as desired. */
  writes: number;
  restarted: boolean;
}

export interface RegistryOptions {
  /** Milliseconds to wait for the API after a restart. @default 60,000 */
  readyDeadline?: number | undefined;
  /** Proves which route is in force, after a change of routes. */
  probe?: () => Promise<void>;
  /** The last deploy was cut off: what it has written may not be in force. */
  interrupted?: boolean;
  /**
   * The account that the API is logged in to, and whether its password is another one than in the
   * last deploy.
   */
  admin?: AdminState & { changed: boolean };
  /**
   * Asked before anything is written to a data store that no deploy has begun with; throws where
   * that is not to be.
   */
  mayBegin?: (plan: readonly Write[]) => Promise<void>;
  /**
   * Makes sure of people's accounts, before the entrypoint lets mail in. @returns how many were
   * written
   */
  accounts?: () => Promise<number>;
  /** Says what is being done; never a value. */
  log?: (message: string) => void;
}

/**
 * Makes the registry as desired. Every step may be repeated: interrupted anywhere, the next run
 * finishes it.
 *
 * @param previous objects of the last deploy
 * @throws UserError that names object, property and reason, when a write or the reload is refused
 *   or does not read back
 */
export async function convergeRegistry(
  api: RegistryApi,
  desired: RegistryObjects,
  previous: RegistryObjects,
  {
    readyDeadline,
    probe,
    interrupted = false,
    admin,
    mayBegin,
    accounts,
    log = () => undefined,
  }: RegistryOptions = {},
): Promise<RegistryConvergence> {
  const keys = [...Object.keys(desired), ...Object.keys(previous), CLAIM];
  const live = await readRows(api, keys);
  const all = planRows(live, desired, previous);
  const writes = all.filter(({ key }) => key !== MARKER);
  const marker = all.filter(({ key }) => key === MARKER);
  // Without a marker declared, by a program that uses the resource by itself, the state alone tells
  // a first deploy.
  const isFirst = MARKER in desired ? marker.length > 0 : Object.keys(previous).length === 0;
  const begins = isFirst && !live.has(CLAIM);
  if (begins) await mayBegin?.(writes);
  const claim: Write[] = begins ? [{ key: CLAIM, kind: "create", properties: CLAIM_ROW }] : [];
  const lastResort = admin !== undefined && (await api.isLastResort());
  let admins = 0;
  const done: Write[] = [];
  try {
    const [first, last] = [
      writes.filter(({ kind, key }) => kind !== "destroy" || isTwin(key)),
      writes.filter(({ kind, key }) => kind === "destroy" && !isTwin(key)),
    ];
    for (const batch of [...batches(claim), ...batches(first)]) await apply(api, batch, done, log);
    // Before the reload, after which his name may stand for an account of another domain.
    const named = desired["SystemSettings"]?.["defaultDomainId"];
    const domain = admin && withIds(named, await readRows(api, ["Domain"]));
    if (admin && typeof domain === "string")
      admins = await syncAdmin(api, admin, domain, lastResort || admin.changed, log);
    // Also with nothing to write: an earlier run may have been killed between its writes and its
    // reload.
    await api.reload();
    // What a refused reload takes back must not have been destroyed: made anew it would have
    // another id and account.
    for (const batch of batches(last)) await apply(api, batch, done, log);
    if (last.length > 0) await api.reload();
  } catch (error) {
    await undo(api, done, error, log);
    throw error;
  }
  const left = planRows(await readRows(api, keys), desired, previous).filter(({ key }) => key !== MARKER);
  if (left.length > 0) {
    const names = left.map(({ key, properties }) => [key, ...Object.keys(properties)].join(" ")).join(", ");
    throw new UserError(`${names} in ${api.transport.name}: what was written does not read back`, {
      path: left[0]?.key ?? "",
      hint: "Somebody else may be writing settings at the same time. Run `pulumi up` again.",
    });
  }
  const people = (await accounts?.()) ?? 0;
  const keptOff = marker.length > 0 ? await keepOff(api, desired) : 0;
  // Nothing takes it away again: from here on everything is in force, or will be at the next start.
  for (const batch of batches(marker)) await apply(api, batch, [], log);
  // Without the marker the API alone was served so far, or everything with an administrator of last
  // resort (lib/stalwart/recovery.sh).
  const inForce = interrupted ? {} : previous;
  const restarted = marker.length > 0 || lastResort || needsRestart(writes, desired, inForce);
  if (restarted) {
    log("restarting Stalwart: listeners and stores are taken at its start");
    await restartServer(api, readyDeadline);
  }
  await retryFailedTasks(api, desired, log);
  await giveTasks(api, tasksFor(desired, previous), log);
  await checkPorts(api.transport);
  if (writes.some(({ key }) => rowConcernsRouting(key)) || reroutes(desired, inForce)) await probe?.();
  return { writes: all.length + keptOff + admins + people, restarted };
}

/**
 * Whether mail is declared to go another way than in the last deploy: one that was cut off has
 * written it and not proved it.
 */
function reroutes(desired: RegistryObjects, previous: RegistryObjects): boolean {
  return Object.keys({ ...desired, ...previous }).some(
    (key) => rowConcernsRouting(key) && JSON.stringify(desired[key]) !== JSON.stringify(previous[key]),
  );
}

/**
 * A singleton that is as the server's default is not stored (jmap/src/registry/set.rs), and where
 * none is stored the server puts one of its own at its first start
 * (common/src/manager/defaults.rs): it would fetch four files of addresses and countries from
 * GitHub then and each day. So it is stored as something else first.
 */
async function keepOff(api: RegistryApi, desired: RegistryObjects): Promise<number> {
  if (desired["Asn"]?.["@type"] !== "Disabled") return 0;
  for (const type of ["Resource", "Disabled"])
    await api.set("Asn", { update: { singleton: { "@type": type } } }, { singleton: "Asn" });
  return 1;
}
