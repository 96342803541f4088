/**
 * What each lesson's guard is, for who leaves it out: the lab does, to replay the outage that the
 * guard prevents. Lesson → the guard, and what may stand in its place.
 */
export const GUARDS: Readonly<Record<string, { guard: string; instead?: string }>> = {
  1: { guard: "the sidecar's healthcheck and Stalwart's gate ask Postgres" },
  2: { guard: "the DNS key writes and deletes a record before anything depends on it" },
  3: { guard: "the tailnet and the edge are on the ban allow-list" },
  4: { guard: "a wildcard is ordered by a challenge that proves it" },
  5: { guard: "the edge passes the mail names' TLS on, and ends none of it" },
  6: { guard: "the edge dials Stalwart by name", instead: "the address that it dials" },
  7: { guard: "a name has one ACME client, and an order that must fail is not made" },
  8: { guard: "a relay has no AAAA record, and is dialled from inside before a deploy ends" },
  9: { guard: "nothing counts on IPv6 in the container" },
  10: { guard: "mail leaves by the relay on the tailnet" },
  11: {
    guard: "Stalwart is granted its relay",
    instead: "opposite (a grant the other way round) or none",
  },
  13: { guard: "an anchor holds the network namespace" },
  14: { guard: "names of routes are checked", instead: "the name of a route that nobody knows" },
  15: { guard: "one listener on :443, whose wrapper tells connections apart" },
  16: { guard: "Stalwart is watched, and its namespace gives dead connections up early" },
  17: {
    guard: "a mail host has no AAAA record while the edge has an IPv4 address alone",
    instead: "an IPv6 address that nobody has",
  },
  18: { guard: "a record that changes takes the place of what it said before" },
  19: { guard: "an RSA key signs wherever one of ed25519 does" },
};

/** Lessons whose guard is left out → true, or what stands in its place. Empty but in a lab. */
export type LeftOut = Readonly<Partial<Record<string, true | string>>>;
