// The key of the DNS server writes: with a dead one the next certificate cannot be had (lesson 2).
import { type Check, fail, type Finding, lesson, ok, skip, unknown } from "../check.ts";
import { dialFrom } from "../dial.ts";
import { askOver } from "../../lib/dns/ask.ts";
import { type Canary, writeCanary } from "../dns-canary.ts";
import type { DoctorScene } from "../doctor/target.ts";

/** What an update was refused with, and what it means. */
const ADVICE: Record<string, string> = {
  NOTAUTH: "the server does not know the key, or its secret is another, or a clock is off by more than 300 s",
  REFUSED: "the server knows the key, and lets it write no such record",
  SERVFAIL: "the server cannot write its zone: its own log says why",
};

/** Writes a TXT record by Stalwart's own key, reads it where it was written, and takes it away. */
export const dnsCanary: Check<DoctorScene> = {
  id: "dns-canary",
  from: "namespace",
  needs: ["namespace", "stalwart-runs"],
  lesson: lesson(2),
  seconds: 13,
  async look(scene) {
    const { settings, canary } = scene.target;
    const { dnsProvider, acme = [], domains } = settings;
    if (!canary) return skip("it writes a record, so only with --canary");
    if (dnsProvider === undefined) return skip("the config names no DNS provider");
    if (dnsProvider.type !== "rfc2136") return skip(`the doctor cannot write records at ${dnsProvider.type}`);
    const { host, port, keyName, algorithm, secretFile } = dnsProvider;
    const at = `the DNS server ${host}`;
    const owner = (acme[0]?.names[0] ?? domains[0]?.name ?? settings.hostname).replace(/^\*\./, "");
    // The one name that such a key may have to be good for, beside what an order has there.
    const name = `_acme-challenge.${owner}`;
    const secret = Buffer.from((await scene.secret(secretFile)).trim(), "base64");
    const { kvm } = scene.target;
    // A connection each: one that breaks does not keep the record from being taken away.
    const ask = async (message: Buffer) => {
      const line = dialFrom(kvm.dockerHost, kvm.sidecar, host, port);
      try {
        return await askOver(line)(message);
      } finally {
        line.destroy();
      }
    };
    return judge(await writeCanary(ask, { name: keyName, algorithm, secret }, name), at, name, keyName);
  },
};

function judge(
  { found, added, isServed, unread, removed, isLeft }: Canary,
  at: string,
  name: string,
  key: string,
): Finding {
  if (found.zone === undefined) return fail(`${at} has no zone for ${name}: ${found.code}`);
  if (added && added.code !== "NOERROR")
    return fail(`${at} refuses the record with ${added.code}`, {
      advice: ADVICE[added.code] ?? "see the server's own log",
      fix: "pulumi config set --secret tailwart:dnsSecret && pulumi up",
    });
  if (isLeft)
    return fail(`${at} does not take the record away again: ${removed?.code}`, {
      advice: `Stalwart adds nothing where something is left: delete the TXT record of ${name} by hand`,
    });
  if (unread !== undefined) return unknown(`${at} took a record and cannot be asked for it: ${unread}`);
  return isServed
    ? ok(`${at} took a record by the key ${key}, showed it and took it away`)
    : unknown(`${at} took a record and does not show it`);
}
