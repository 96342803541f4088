/**
 * What Stalwart has given up, and what it has not delivered yet, against the fake of its registry.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { convergeRegistry } from "../../../../provider/registry/converge.ts";
import { RegistryApi } from "../../../../provider/registry/jmap.ts";
import { registryQueue } from "../../../../provider/registry/queue.ts";
import { retryFailedTasks } from "../../../../provider/registry/tasks.ts";
import { FakeRegistry } from "../../../fakes/fake-registry.ts";
import { registryTransport } from "../../../fakes/fake-transport.ts";
import { registryObjects, VIA_SMARTHOST } from "./objects.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const desired = { "Domain/lab.test": { name: "lab.test" } };

let fake: FakeRegistry;
let api: RegistryApi;
let said: string[];

beforeEach(async () => {
  fake = new FakeRegistry();
  const transport = registryTransport(() => fake);
  api = new RegistryApi(transport, await fake.listen());
  said = [];
  fake.add("Domain", { name: "lab.test" });
  fake.add("Domain", { name: "old.test" });
});
afterEach(() => fake.close());

const idOf = (name: string) => fake.inForce("Domain").find((row) => row["name"] === name)?.["id"];
const failed = (failureReason: string, minutesAgo = 90) => ({
  "@type": "Failed",
  failureReason,
  failedAt: new Date(NOW - minutesAgo * 60_000).toISOString(),
});
async function retry() {
  await retryFailedTasks(api, desired, (message, severity) => said.push(`${severity}: ${message}`), NOW);
  const { Task = [] } = await api.get(["Task"]);
  return Task.map(({ id: _, ...task }) => task);
}
const pending = { "@type": "Pending", due: "2026-11-26T12:00:00.000Z" };

describe("a task of a declared domain that Stalwart has given up", () => {
  test("is told with its reason and given anew, once", async () => {
    const dns = { updateRecords: { mtaSts: true }, onSuccessRenewCertificate: true };
    const domainId = idOf("lab.test");
    fake.add("Task", { "@type": "DnsManagement", domainId, ...dns, status: failed("SERVFAIL", 1) });
    const anew = [{ "@type": "DnsManagement", domainId, ...dns, status: pending }];
    expect(await retry()).toEqual(anew);
    expect(said).toEqual([
      "warning: Domain/lab.test: Stalwart gave up DnsManagement (SERVFAIL); it is tried again",
    ]);
    expect(await retry()).toEqual(anew);
    expect(said).toHaveLength(1);
  });

  test("is the order itself where it had no records to write, which fails always", async () => {
    const domainId = idOf("lab.test");
    const dns = { updateRecords: {}, onSuccessRenewCertificate: true };
    const status = failed("No DNS records to update");
    fake.add("Task", { "@type": "DnsManagement", domainId, ...dns, status });
    expect(await retry()).toEqual([{ "@type": "AcmeRenewal", domainId, status: pending }]);
  });

  test("is seen by each deploy, also by one that changes nothing", async () => {
    const objects = registryObjects(VIA_SMARTHOST);
    await convergeRegistry(api, objects, {});
    const status = failed("SERVFAIL");
    fake.add("Task", { "@type": "AcmeRenewal", domainId: idOf("lab.test"), status });
    const log = (message: string, severity?: string) => said.push(`${severity}: ${message}`);
    expect((await convergeRegistry(api, objects, objects, { log })).writes).toBe(0);
    expect(said).toContain(
      "warning: Domain/lab.test: Stalwart gave up AcmeRenewal (SERVFAIL); it is tried again",
    );
  });

  test("is left alone for an hour where it is an order, since proofs that fail are rationed", async () => {
    const order = { "@type": "AcmeRenewal", domainId: idOf("lab.test") };
    fake.add("Task", { ...order, status: failed("OrderInvalid", 50) });
    expect(await retry()).toEqual([{ ...order, status: failed("OrderInvalid", 50) }]);
    expect(said).toEqual([
      "warning: Domain/lab.test: Stalwart gave up AcmeRenewal (OrderInvalid); an `up` in 10 min tries it again",
    ]);
    fake.edit("Task", () => true, { status: failed("OrderInvalid", 61) });
    expect(await retry()).toEqual([{ ...order, status: pending }]);
  });

  test.each([
    ["of a domain that is not declared", "AcmeRenewal", "old.test", failed("OrderInvalid")],
    ["that waits", "AcmeRenewal", "lab.test", pending],
    ["that no deploy gives", "DkimManagement", "lab.test", failed("none")],
  ])("and not one %s", async (_, type, name, status) => {
    const task = { "@type": type, domainId: idOf(name), status };
    fake.add("Task", task);
    expect(await retry()).toEqual([task]);
    expect(said).toEqual([]);
  });
});

describe("the queue", () => {
  const message = (address: string, status: Record<string, unknown>) => ({
    recipients: { [address]: { status } },
  });

  test("tells the host that a probe has failed at, and is rid of the probe alone", async () => {
    const queue = registryQueue(api);
    const failure = { "@type": "TemporaryFailure", responseHostname: "mx.tail.test" };
    fake.add("QueuedMessage", message("tailwart-probe@a.invalid", failure));
    fake.add("QueuedMessage", message("bob@b.test", { "@type": "Scheduled" }));
    expect(await queue.queued("a.invalid")).toEqual(["Error for mx.tail.test: TemporaryFailure"]);
    expect(await queue.queued("b.test")).toEqual([]);
    await queue.discard("a.invalid");
    await queue.discard("a.invalid");
    const { QueuedMessage = [] } = await api.get(["QueuedMessage"]);
    expect(QueuedMessage.map(({ recipients }) => Object.keys(recipients as object))).toEqual([
      ["bob@b.test"],
    ]);
    expect(fake.requests.filter((request) => request === "set QueuedMessage")).toHaveLength(1);
  });
});
