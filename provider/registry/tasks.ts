/**
 * Work that Stalwart does only once, so that the deploy which changes what it is about gives it the
 * task. For a domain, when it is first put in charge (jmap/src/registry/mapping/domain.rs,
 * `validate_domain`): a certificate for other names and records of other kinds, it would see to at
 * the next renewal, weeks later. For the spam filter, at a start without rules
 * (common/src/manager/defaults.rs).
 */
import type { RegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import type { Log } from "../plugin/log.ts";
import type { RegistryApi } from "./jmap.ts";
import { readRows } from "./plan.ts";

type Json = Record<string, unknown>;

interface Task {
  /** The row that it is for. */
  key: string;
  what: string;
  task: Json;
}

/**
 * Tasks that the difference between two deploys asks for; a task for what is done already ends at
 * once (`NotDue`, acme/renew.rs).
 */
export function tasksFor(desired: RegistryObjects, previous: RegistryObjects): Task[] {
  const tasks: Task[] = [];
  for (const key of Object.keys(desired).filter((key) => key.startsWith("Domain/"))) {
    const both = (management: string, property: string): [now: unknown, before: unknown] | undefined => {
      const [now, before] = [desired, previous].map(
        (objects) => objects[key]?.[management] as Json | undefined,
      );
      if (now?.["@type"] !== "Automatic" || before?.["@type"] !== "Automatic") return undefined;
      return JSON.stringify(now[property]) === JSON.stringify(before[property])
        ? undefined
        : [now[property], before[property]];
    };
    if (both("certificateManagement", "subjectAlternativeNames"))
      tasks.push({ key, what: "a certificate for its names", task: { "@type": "AcmeRenewal" } });
    const records = both("dnsManagement", "publishRecords");
    if (records)
      tasks.push({
        key,
        what: "its DNS records",
        task: { "@type": "DnsManagement", updateRecords: records[0], onSuccessRenewCertificate: false },
      });
  }
  const [rules, before] = [desired, previous].map(({ SpamSettings }) => SpamSettings?.["spamFilterRulesUrl"]);
  if (rules && "SpamSettings" in previous && rules !== before)
    tasks.push({
      key: "SpamSettings",
      what: "the spam filter's rules",
      task: { "@type": "SpamFilterMaintenance", maintenanceType: "updateRules" },
    });
  return tasks;
}

/**
 * How long a failed order is left alone: proofs that fail are rationed, five an hour (lesson 7).
 */
const ORDER_AGAIN = 3_600_000;

/**
 * Finds what the server has given up for good (`Failed`): it tells nobody, and what hangs on it
 * never comes, such as the certificate after records that a DNS server refused once. It is given
 * anew.
 */
export async function retryFailedTasks(
  api: RegistryApi,
  desired: RegistryObjects,
  log: Log,
  now = Date.now(),
): Promise<void> {
  const live = await readRows(api, ["Domain"]);
  const domains = new Map([...live].filter(([key]) => key in desired).map(([key, { id }]) => [id, key]));
  const due = new Date(now).toISOString();
  for (const row of (await api.get(["Task"]))["Task"] ?? []) {
    const key = domains.get(String(row["domainId"]));
    const again = successorOf(row);
    const { "@type": state, failedAt, failureReason } = (row["status"] ?? {}) as Json;
    if (key === undefined || again === undefined || state !== "Failed") continue;
    const left = Date.parse(String(failedAt)) + ORDER_AGAIN - now;
    const wait = row["@type"] === "AcmeRenewal" && left > 0;
    const next = wait ? `an \`up\` in ${Math.ceil(left / 60_000)} min tries it again` : "it is tried again";
    log(`${key}: Stalwart gave up ${String(row["@type"])} (${String(failureReason)}); ${next}`, "warning");
    if (wait) continue;
    const status = { "@type": "Pending", due };
    const create = { task: { ...again, domainId: row["domainId"], status } };
    const names = { task: `task for ${key}`, [row.id]: `failed task of ${key}` };
    await api.set("Task", { create, destroy: [row.id] }, names);
  }
}

/** What is to be done in a failed task's place; undefined for those that no deploy gives. */
function successorOf(task: Json): Json | undefined {
  const { "@type": type, updateRecords, onSuccessRenewCertificate } = task;
  if (type === "AcmeRenewal") return { "@type": type };
  if (type !== "DnsManagement") return undefined;
  // One without records fails always (services/src/task_manager/dns.rs), and with it the order
  // behind it.
  if (Object.keys((updateRecords ?? {}) as Json).length === 0)
    return onSuccessRenewCertificate === true ? { "@type": "AcmeRenewal" } : undefined;
  return { "@type": type, updateRecords, onSuccessRenewCertificate };
}

/** Gives the tasks to the server, due now. */
export async function giveTasks(
  api: RegistryApi,
  tasks: readonly Task[],
  log: (message: string) => void,
): Promise<void> {
  if (tasks.length === 0) return;
  const live = await readRows(api, ["Domain"]);
  for (const { key, what, task } of tasks) {
    log(`asking for ${what}: ${key}`);
    const domain = key.startsWith("Domain/") ? { domainId: live.get(key)?.id } : {};
    const status = { "@type": "Pending", due: new Date().toISOString() };
    const create = { task: { ...task, ...domain, status } };
    await api.set("Task", { create }, { task: `task for ${key}` });
  }
}
