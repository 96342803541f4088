/** The switch by which a lab replays the lessons. */
import { z } from "zod";

import { GUARDS } from "../../lib/guards.ts";

const guardSchema = (lesson: string) => {
  const { guard, instead } = GUARDS[lesson] ?? { guard: "" };
  const accepts = instead === undefined ? "true" : `true, or ${instead}`;
  const value = instead === undefined ? z.literal(true) : z.union([z.literal(true), z.string().min(1)]);
  return value
    .optional()
    .meta({ accepts, examples: [true] })
    .describe(`For labs alone. What is left out: ${guard} (lesson ${lesson}).`);
};

/**
 * Lessons whose guard is left out. Refused unless mailHost and all domains end in .test
 * (config/problems/guards.ts).
 */
export const withoutGuardsSchema = z
  .strictObject(Object.fromEntries(Object.keys(GUARDS).map((lesson) => [lesson, guardSchema(lesson)])))
  .default({})
  .meta({ accepts: "a map of lessons", examples: [{ 13: true }] })
  .describe("Lessons whose guard a lab leaves out, so that `npm run lab -- lessons` can replay the outage.");
