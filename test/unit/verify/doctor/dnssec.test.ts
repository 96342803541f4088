import { expect, test } from "vitest";

import { fail, ok } from "../../../../verify/check.ts";
import { dnsRecords } from "../../../../verify/checks/dns.ts";
import { DoctorScene, type DoctorTarget, type ServerApi } from "../../../../verify/doctor/target.ts";

const servers = dnsRecords.find(({ id }) => id === "dns-servers");
const target = {
  dns: { records: [{}], servers: [] },
  settings: { hostname: "mail.example.org", domains: [] },
} as unknown as DoctorTarget;

/** A scene in which nobody says who has the zone. */
function scene(dnssec: ReturnType<typeof ok>) {
  const made = new DoctorScene(target, {} as ServerApi, () => Promise.reject(new Error("not asked")));
  const serials = () => Promise.reject(new Error("queryNs ESERVFAIL example.org"));
  void made.once("zone reader", () => Promise.resolve({ serials }));
  void made.once("dnssec", () => Promise.resolve(dnssec));
  return made;
}

test("a zone that resolvers do not tell of has wrong signatures for its cause, where it has", async () => {
  expect(await servers?.look(scene(fail("the signature of SOA example.org ended")))).toMatchObject({
    state: "unknown",
    because: "dns-dnssec",
  });
  await expect(servers?.look(scene(ok("example.org is not signed")))).rejects.toThrow(/ESERVFAIL/);
});
