// Whether resolvers that verify DNSSEC find the zones: each answers a broken chain with SERVFAIL.
import { isKnown, type Signature, SIGNED_TYPES, vouchesFor } from "../../lib/dns/dnssec.ts";
import { wordsOf } from "../../lib/errors.ts";
import { type Check, fail, type Finding, ok, unknown, warn, worst } from "../check.ts";
import { atServers } from "../doctor/at-servers.ts";
import { lookAtZone, type SignedAt, type SignedZone, zonesOf } from "../doctor/signed-zone.ts";
import type { DoctorScene } from "../doctor/target.ts";

/** Names whose zones one look asks for. */
const MOST_NAMES = 10;
const DAY = 86_400_000;

/** From the parent to each zone's keys and signatures; what these say is not verified. */
export const dnssec: Check<DoctorScene> = {
  id: "dns-dnssec",
  from: "operator",
  needs: [],
  lesson: "docs/deliverability.md",
  look: dnssecOf,
};

/** Asked once a look: another row may have this cause. */
export function dnssecOf(scene: DoctorScene): Promise<Finding> {
  return scene.once("dnssec", () => look(scene));
}

async function look({ target: { dns, settings } }: DoctorScene): Promise<Finding> {
  const tlsa = settings.domains.filter(({ publishRecords }) => publishRecords.includes("tlsa"));
  const names = [settings.hostname, ...settings.domains.map(({ name }) => name)];
  let zones: SignedZone[];
  try {
    const found = await zonesOf(names.slice(0, MOST_NAMES));
    zones = await Promise.all(found.map((zone) => lookAtZone(zone, dns.servers)));
  } catch (error) {
    return untold(wordsOf(error));
  }
  const found = worst(
    zones.map((zone) =>
      judgeZone(
        zone,
        tlsa.some(({ name }) => name === zone.zone || name.endsWith(`.${zone.zone}`)),
        new Date(),
      ),
    ),
  );
  if (found === undefined) return unknown("no zone was asked");
  const rest = names.length > MOST_NAMES ? `; ${MOST_NAMES} of ${names.length} names were asked` : "";
  return { ...found, seen: found.seen + rest };
}

/**
 * Whether a zone's chain holds.
 *
 * @param needsIt whether TLSA records are published in it, which count in a signed zone alone
 */
export function judgeZone({ zone, delegations, servers }: SignedZone, needsIt: boolean, now: Date): Finding {
  if (servers.length === 0) return untold(`no server of the zone ${zone} answers over TCP`);
  const known = delegations.filter(isKnown);
  if (known.length === 0) {
    const isSigned = servers.some(({ keys }) => keys.length > 0);
    const seen = isSigned
      ? `${zone} is signed, and its parent vouches for none of its keys: it counts as unsigned`
      : `${zone} is not signed`;
    if (!needsIt) return ok(`${seen}; DANE (TLSA records) would need that`);
    return fail(`${seen}, so senders pass over the TLSA records that the config publishes (RFC 7672)`, {
      advice:
        "sign the zone at its DNS provider and give its DS record to the registrar, or take tlsa out of publishRecords",
    });
  }
  return atServers(
    servers.map((at) => ({ server: at.server, finding: judgeServer({ zone, delegations: known }, at, now) })),
  );
}

/** As with an outgoing port 25, where it is looked from may be the cause. */
const untold = (why: string): Finding =>
  warn(`whether the zones are signed cannot be told from here: ${why}`, {
    advice: "DNS goes over TCP, too (RFC 7766): does a firewall here let it out?",
  });

/** What becomes of mail where resolvers verify, which most large ones do. */
const STOPS = "resolvers that verify answer SERVFAIL, so that the domain's mail stops";

function judgeServer(
  { zone, delegations }: Pick<SignedZone, "zone" | "delegations">,
  { keys, signatures }: SignedAt,
  now: Date,
): Finding {
  const tags = (all: readonly { tag: number }[]) =>
    [...new Set(all.map(({ tag }) => tag))].join(", ") || "none";
  const entry = keys.filter((key) => delegations.some((each) => vouchesFor(each, zone, key)));
  if (entry.length === 0)
    return fail(
      `the parent of ${zone} vouches for the key ${tags(delegations)}, and the zone's keys are: ${tags(keys)}`,
      {
        advice: `${STOPS}: put the zone's own DS record in at the registrar, or take the old one away there`,
      },
    );
  const signed = [["DNSKEY", entry] as const, ["SOA", keys] as const];
  const findings = signed.map(([type, signers]) => {
    const some = signatures.filter(
      ({ covers, tag }) => covers === SIGNED_TYPES[type] && signers.some((key) => key.tag === tag),
    );
    return judgeSignatures(`${type} ${zone}`, some, now);
  });
  const found = worst(findings) ?? unknown(`${zone}: nothing was judged`);
  return found.state === "ok" ? ok(`${zone} is signed by the key ${tags(entry)}: ${found.seen}`) : found;
}

/** @param some the signatures of one record by keys that count */
function judgeSignatures(record: string, some: readonly Signature[], now: Date): Finding {
  const begun = some.filter(({ from }) => from <= now);
  const [last] = begun.toSorted((a, b) => Number(b.until) - Number(a.until));
  if (last === undefined || last.until < now) {
    const later = some.length > 0 ? "begins later: is the signer's clock right?" : "is missing";
    const why = last ? `ended on ${last.until.toISOString().slice(0, 16)} UTC` : later;
    return fail(`the signature of ${record} ${why}`, {
      advice: `${STOPS}: whoever signs the zone has to sign it anew; its log says why that was not done`,
    });
  }
  const left = Number(last.until) - Number(now);
  // Knot renews at a tenth of their life, BIND at a quarter; Cloudflare's live for two days.
  return left < Math.min(3 * DAY, (Number(last.until) - Number(last.from)) / 12)
    ? warn(`the signature of ${record} ends in ${span(left)} and was not renewed`, {
        advice: `then ${STOPS}: does whoever signs the zone still run?`,
      })
    : ok(`the signature of ${record} is good for another ${span(left)}`);
}

const span = (ms: number): string =>
  ms < 2 * DAY ? `${Math.floor(ms / 3_600_000)} hours` : `${Math.floor(ms / DAY)} days`;
