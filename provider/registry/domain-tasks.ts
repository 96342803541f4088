/**
 * Work that Stalwart does for a domain only when it is first put in charge (jmap/src/registry/mapping/domain.rs, `validate_domain`): a certificate for
 * other names and records of other kinds, it would see to at the next renewal, weeks later. So the deploy that changes them gives it the task.
 */
import type { RegistryObjects } from "../../lib/settings/registry.ts";
import type { RegistryApi } from "./jmap.ts";
import { readRows } from "./plan.ts";

type Json = Record<string, unknown>;

interface DomainTask {
  key: string;
  what: string;
  task: Json;
}

/** Tasks that the difference between two deploys asks for; a task for what is done already ends at once (`NotDue`, acme/renew.rs). */
export function domainTasks(desired: RegistryObjects, previous: RegistryObjects): DomainTask[] {
  const tasks: DomainTask[] = [];
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
  return tasks;
}

/** Gives the tasks to the server, due now. */
export async function giveDomainTasks(
  api: RegistryApi,
  tasks: readonly DomainTask[],
  log: (message: string) => void,
): Promise<void> {
  if (tasks.length === 0) return;
  const live = await readRows(api, ["Domain"]);
  for (const { key, what, task } of tasks) {
    log(`asking for ${what}: ${key}`);
    const status = { "@type": "Pending", due: new Date().toISOString() };
    const create = { task: { ...task, domainId: live.get(key)?.id, status } };
    await api.set("Task", { create }, { task: `task for ${key}` });
  }
}
