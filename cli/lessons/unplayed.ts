import type { Lesson } from "./lesson.ts";

/** What the table of lessons says of one. */
export type Card = Pick<Lesson, "number" | "title" | "preventedBy" | "refusedBy">;

/** Cards of the lessons that are not replayed. */
export const UNPLAYED: readonly Card[] = [
  {
    number: 20,
    title: "Postgres' last slots",
    preventedBy:
      "Postgres gives a connection up after 30 s without an answer (`lib/desired-state/stores.ts`)",
    refusedBy: [],
  },
];
