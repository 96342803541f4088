// What Stalwart tells of itself by its API: its queue, whom it has banned, what it has given up.
import { type Check, fail, type Finding, lesson, ok, skip, warn } from "../check.ts";
import { inContainer } from "../docker.ts";
import { ageOf } from "../doctor/node-status.ts";
import type { DoctorScene, QueuedMessage } from "../doctor/target.ts";

const HOUR = 3_600_000;

/** How long an attempt may be overdue before the queue counts as standing still. */
const OVERDUE = HOUR / 6;

/** Whether the queue moves. */
export function judgeQueue(messages: readonly QueuedMessage[], now: Date, from: string): Finding {
  const [oldest] = messages.toSorted((a, b) => a.since.getTime() - b.since.getTime());
  if (oldest === undefined) return ok("the queue is empty");
  const many = `${messages.length} in the queue, the oldest for ${ageOf(oldest.since, now)}`;
  const why = `${oldest.to}: ${oldest.last || "not tried yet"}`;
  const log = { fix: `${from} 2>&1 | grep delivery | tail -20` };
  const stuck = messages.filter(({ due }) => due !== undefined && now.getTime() - due.getTime() > OVERDUE);
  if (stuck.length > 0)
    return fail(`${many}; ${stuck.length} are overdue, so nobody works on the queue: ${why}`, log);
  return now.getTime() - oldest.since.getTime() > HOUR ? warn(`${many}: ${why}`, log) : ok(`${many}: ${why}`);
}

/** Mail that waits does not wait long. */
export const queue: Check<DoctorScene> = {
  id: "queue",
  from: "namespace",
  needs: ["stalwart", "postgres-login"],
  lesson: lesson(12),
  async look(scene) {
    const { dockerHost, stalwart } = scene.target.kvm;
    const from = `docker --host ${dockerHost} logs --since 1h ${stalwart}`;
    return judgeQueue(await scene.api.queue(), new Date(), from);
  },
};

/** Whether a ban hits the stack itself: the edge carries everybody's mail. */
export function judgeBans(
  bans: readonly string[],
  ours: Readonly<Record<string, string>>,
  named: string,
): Finding {
  const hit = bans.find((ban) => ban in ours);
  if (hit !== undefined)
    return fail(`Stalwart has banned ${hit}, ${ours[hit]}`, {
      advice:
        "the allow-list should keep it from that: pulumi preview --refresh shows whether it is in force",
      fix: `npm run doctor -- ${named} --unban ${hit}`,
    });
  if (bans.length === 0) return ok("nobody is banned");
  const some = bans.slice(0, 3).join(", ");
  return ok(`${bans.length} are banned, and none of ours: ${some}${bans.length > 3 ? ", …" : ""}`);
}

/** Neither an edge nor the one who asks is banned (lesson 3). */
export const bans: Check<DoctorScene> = {
  id: "bans",
  from: "namespace",
  needs: ["stalwart", "postgres-login"],
  lesson: lesson(3),
  async look(scene) {
    const { edges, named } = scene.target;
    const ours = await Promise.all(
      edges.map(async ({ dockerHost, container, wanAddress }) => {
        const { stdout } = await inContainer(dockerHost, container, OWN_ADDRESSES, 8);
        const addresses = stdout.split(/\s+/).filter((address) => address.startsWith("100."));
        return [
          ...addresses.map((address) => [address, "the edge's node on the tailnet"]),
          [wanAddress, "the edge's public address"],
        ];
      }),
    );
    return judgeBans(await scene.api.bans(), Object.fromEntries(ours.flat()), named);
  },
};

/** BusyBox: the addresses of all devices, one a line. */
const OWN_ADDRESSES = "ip -o -4 address | sed -n 's/.* inet \\([0-9.]*\\).*/\\1/p'";

/** Nothing that Stalwart had to do was given up (0.16 and later). */
export const tasks: Check<DoctorScene> = {
  id: "tasks",
  from: "namespace",
  needs: ["stalwart", "postgres-login"],
  lesson: lesson(2),
  async look(scene) {
    const failed = await scene.api.failedTasks();
    if (failed === undefined) return skip("the 0.15 line has no list of tasks");
    const [first] = failed;
    if (first === undefined) return ok("Stalwart has given up no task");
    return fail(`Stalwart has given up ${failed.length} tasks: ${first.what}: ${first.reason}`, {
      advice: "the next `pulumi up` gives those of the config's domains anew",
      fix: "pulumi up",
    });
  },
};
