import type { Lesson } from "./lesson.ts";
import { lesson13 } from "./13.ts";

/** Every lesson that is replayed, by number. */
export const LESSONS: readonly Lesson[] = [lesson13];
