// What others on the internet may say of the lab's stack: the parent of its zone, lists of senders.
import { added, type Fault } from "./doctor-faults.ts";

export const NAME_FAULTS: readonly Fault[] = [
  {
    what: "the zone's parent vouches for a key that the zone does not have",
    row: "dns-dnssec",
    says: /vouches for the key 4711, and the zone's keys are: none[^]*SERVFAIL/,
    ...added(`lab.test. DS 4711 13 2 ${"AB".repeat(32)}`, "."),
    ci: true,
  },
  {
    what: "a list names the smarthost's address as one that spam comes from",
    row: "dns-dnsbl",
    says: /203\.0\.113\.40, from which mail leaves, is listed by Spamhaus ZEN[^]*check\.spamhaus\.org/,
    ...added("40.113.0.203.zen.spamhaus.org. A 127.0.0.4", "zen.spamhaus.org"),
  },
];
