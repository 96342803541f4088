/**
 * What each lesson's guard is, for who leaves it out: the lab does, to replay the outage that the
 * guard prevents. Lesson → the guard, and what may stand in its place.
 */
export const GUARDS: Readonly<Record<string, { guard: string; instead?: string }>> = {
  1: { guard: "the sidecar's healthcheck and Stalwart's gate ask Postgres" },
  3: { guard: "the tailnet and the edge are on the ban allow-list" },
  6: { guard: "the edge dials Stalwart by name", instead: "the address that it dials" },
  11: {
    guard: "Stalwart is granted its relay",
    instead: "opposite (a grant the other way round) or none",
  },
  13: { guard: "an anchor holds the network namespace" },
  16: { guard: "Stalwart is watched, and its namespace gives dead connections up early" },
};

/** Lessons whose guard is left out → true, or what stands in its place. Empty but in a lab. */
export type LeftOut = Readonly<Partial<Record<string, true | string>>>;
