// What is published for the stack's mail, at every server of its zones (lessons 17 to 19).
import type { Answer } from "../../lib/dns/answers.ts";
import { type Purpose, PURPOSES } from "../../lib/dns/record.ts";
import { wordsOf } from "../../lib/errors.ts";
import { type Check, fail, type Finding, lesson, ok, skip, unknown, warn, worst } from "../check.ts";
import { atServers } from "../doctor/at-servers.ts";
import { judgeRecords, titleOf, type Wanted, wantedOf } from "../doctor/records.ts";
import type { DoctorScene } from "../doctor/target.ts";
import { dnssecOf } from "./dns-dnssec.ts";
import { ZoneReader } from "../doctor/zone.ts";

/** Names that one row looks at: a zone's servers are not to be flooded. */
const MOST_NAMES = 40;

const readerOf = (scene: DoctorScene): Promise<ZoneReader> =>
  scene.once("zone reader", () => Promise.resolve(new ZoneReader(scene.target.dns.servers)));

const everyOne = <R>(wanted: readonly Wanted[], ask: (each: Wanted) => Promise<R>): Promise<R[]> =>
  Promise.all(wanted.slice(0, MOST_NAMES).map(ask));

/** Every server of the zones is there, and they have the same. */
const servers: Check<DoctorScene> = {
  id: "dns-servers",
  from: "operator",
  needs: [],
  lesson: "docs/deliverability.md",
  async look(scene) {
    const reader = await readerOf(scene);
    const { dns, settings } = scene.target;
    if (dns.records.length === 0) return skip("the config asks for no record");
    const names = [settings.hostname, ...settings.domains.map(({ name }) => name)].slice(0, MOST_NAMES);
    const asked = Promise.all(names.map(async (name) => judgeServers(name, await reader.serials(name))));
    const findings = await asked.catch(async (error: unknown) => {
      // Whose signatures are wrong, a resolver that verifies tells nothing of.
      if ((await dnssecOf(scene)).state !== "fail") throw error;
      return [{ ...unknown(wordsOf(error)), because: "dns-dnssec" }];
    });
    return worst(findings) ?? unknown("no zone was asked");
  },
};

/** @param serials each server's name and its zone's serial, or why there is none */
export function judgeServers(zone: string, serials: readonly string[]): Finding {
  const numbers = serials.map((each) => each.split(" ").slice(1).join(" "));
  const silent = serials.filter((_, at) => !/^\d+$/.test(numbers[at] ?? ""));
  if (serials.length === silent.length)
    return fail(`no server of the zone ${zone} answers: ${serials.join("; ")}`, {
      advice: "nobody finds the domain, and mail for it waits at its senders",
    });
  if (silent.length > 0) return warn(`of the servers of ${zone} not all answer: ${silent.join("; ")}`);
  if (new Set(numbers).size > 1)
    return warn(`the servers of ${zone} do not have the same: ${serials.join(", ")}`, {
      advice: "a change is on its way from one to the other, or one no longer gets any",
    });
  return ok(`${zone}: ${serials.join(", ")}`);
}

/** The records of one purpose, at every server. */
const row = (purpose: Purpose): Check<DoctorScene> => ({
  id: `dns-${purpose.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  from: "operator",
  needs: ["dns-servers"],
  lesson: LESSONS[purpose] ?? "docs/deliverability.md",
  async look(scene) {
    const { records, notes } = scene.target.dns;
    const wanted = wantedOf(records, purpose);
    if (wanted.length === 0) {
      const title = titleOf(purpose);
      const note = notes.find(({ state, what }) => state === "missing" && what.startsWith(title));
      if (!note) return skip("the config asks for none");
      const seen = `${title} is not declared: ${note.why}`;
      return PURPOSES[purpose].need === "required" ? warn(seen, { advice: note.instead ?? "" }) : skip(seen);
    }
    const reader = await readerOf(scene);
    const findings = await everyOne(wanted, async (each) => {
      const answers = await reader.published(each.name, each.type);
      const found = atServers(answers.flatMap((answer) => judged(each, answer)));
      return found.state === "ok"
        ? (judgeCached(each, await reader.cached(each.name, each.type)) ?? found)
        : found;
    });
    const rest = wanted.length - MOST_NAMES;
    const found = worst(findings) ?? unknown("no name was asked");
    if (found.state !== "ok" || wanted.length === 1) return found;
    return ok(
      `${PURPOSES[purpose].what}: ${wanted.length} names are as they should be${rest > 0 ? `, of which ${MOST_NAMES} were asked` : ""}`,
    );
  },
});

/** A server that does not answer is the row of the servers'. */
const judged = (wanted: Wanted, { server, values }: Answer) =>
  values === undefined ? [] : [{ server, finding: judgeRecords(wanted, values) }];

/** What caches have may be what was; that passes by itself. */
export function judgeCached(wanted: Wanted, { values, server }: Answer): Finding | undefined {
  if (values === undefined) return undefined;
  const { state, seen } = judgeRecords(wanted, values);
  return state === "ok"
    ? undefined
    : warn(`published as it should be; ${server} still has what was: ${seen}`, {
        advice: "a cache keeps a record for as long as its TTL says; nothing is to be done",
      });
}

/** No name leads senders with IPv6 to an address that nobody listens on (lesson 17). */
const noAaaa: Check<DoctorScene> = {
  id: "dns-aaaa",
  from: "operator",
  needs: ["dns-servers"],
  lesson: lesson(17),
  async look(scene) {
    const reader = await readerOf(scene);
    const hosts = wantedOf(scene.target.dns.records, "host");
    const answers = await everyOne(hosts, async ({ name }) =>
      (await reader.published(name, "AAAA")).flatMap(({ values = [] }) =>
        values.map((each) => `${name} AAAA ${each}`),
      ),
    );
    const [found] = answers.flat();
    if (found === undefined) return ok("no mail host has an IPv6 address that nobody listens on");
    return fail(`${found}: the edge has an IPv4 address alone`, {
      advice: "a sender with IPv6 tries that first, and bounces: delete the AAAA record",
    });
  },
};

/** Whoever rents the address out has given it the mail host's name. */
const ptr: Check<DoctorScene> = {
  id: "dns-ptr",
  perEdge: true,
  from: "operator",
  needs: ["dns-servers"],
  lesson: "docs/deliverability.md",
  async look(scene) {
    const { wanAddress, target } = scene;
    const names = await (await readerOf(scene)).namesOf(wanAddress);
    const hosts = wantedOf(target.dns.records, "host").map(({ name }) => name);
    if (names.some((name) => hosts.includes(name))) return ok(`${wanAddress} is ${names.join(", ")}`);
    const has = names.length === 0 ? "has no name" : `is ${names.join(", ")}, which is no mail host`;
    return warn(`${wanAddress} ${has}`, {
      advice: `whoever rents the address out sets its PTR: ${target.settings.hostname}`,
    });
  },
};

const LESSONS: Partial<Record<Purpose, string>> = { spf: lesson(18), dmarc: lesson(18) };

export const dnsRecords: readonly Check<DoctorScene>[] = [
  servers,
  ...(Object.keys(PURPOSES) as Purpose[]).map(row),
  noAaaa,
  ptr,
];
