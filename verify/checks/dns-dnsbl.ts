// Whether the addresses that mail leaves from are on a list of senders of spam.
import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";

import { type Check, fail, type Finding, ok, skip, unknown, warn, worst } from "../check.ts";
import { askList, BLOCKLISTS, type Listing } from "../doctor/blocklists.ts";
import { wantedOf } from "../doctor/records.ts";
import type { DoctorScene } from "../doctor/target.ts";

/** Addresses that one look asks for. */
const MOST = 8;

/** Asks each list for the smarthost's addresses and the edge's, by this machine's own resolver. */
export const dnsbl: Check<DoctorScene> = {
  id: "dns-dnsbl",
  from: "operator",
  needs: [],
  lesson: "docs/deliverability.md",
  async look({ target: { dns } }) {
    // A network, or what another's SPF record includes, is not the stack's alone.
    const egress = (dns.egress ?? []).filter((place) => isIP(place)).slice(0, MOST);
    if (egress.length === 0) return skip("tailwart:relay.egress names no address from which mail leaves");
    const edge = wantedOf(dns.records, "host").flatMap(({ type, values }) => (type === "A" ? values : []));
    const addresses = [...new Set([...egress, ...edge])];
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    const listings = await Promise.all(BLOCKLISTS.map((list) => askList(resolver, list, addresses)));
    return judgeListings(listings, egress);
  },
};

/** @param egress addresses that mail leaves from; the edge's only takes it */
export function judgeListings(listings: readonly Listing[], egress: readonly string[]): Finding {
  const told = listings.filter(({ doubt }) => doubt === "");
  const doubts = listings.flatMap(({ list, doubt }) => (doubt === "" ? [] : [`${list.name} ${doubt}`]));
  if (told.length === 0) {
    const seen = `no list tells whether the stack's addresses are on it: ${doubts.join("; ")}`;
    const advice = "lists answer no public resolver: this machine needs one of its own, such as unbound";
    return listings.some(({ refuses }) => refuses) ? warn(seen, { advice }) : unknown(seen);
  }
  const findings = told.flatMap(({ list, listed }) =>
    [...listed].flatMap(([address, answers]) => {
      const sends = egress.includes(address);
      // Nobody minds that an address sends nothing itself, where it does not.
      const counts = answers.filter((answer) => sends || !list.policy?.includes(answer));
      if (counts.length === 0) return [];
      const what = sends ? `${address}, from which mail leaves,` : `the edge's address ${address}`;
      const seen = `${what} is listed by ${list.name} (${counts.join(", ")})`;
      const more = { advice: `why, and how to be taken off: ${list.page(address)}` };
      return [sends && list.refused ? fail(seen, more) : warn(seen, more)];
    }),
  );
  const found = worst(findings);
  if (found) return found;
  const addresses = [...(told[0]?.listed.keys() ?? [])].join(", ");
  const names = told.map(({ list }) => list.name).join(", ");
  return ok([`${addresses}: not on the list of ${names}`, ...doubts].join("; "));
}
