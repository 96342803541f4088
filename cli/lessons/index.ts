import type { Lesson } from "./lesson.ts";
import { lesson01 } from "./01.ts";
import { lesson03 } from "./03.ts";
import { lesson06 } from "./06.ts";
import { lesson11 } from "./11.ts";
import { lesson13 } from "./13.ts";
import { lesson16 } from "./16.ts";

/** Every lesson that is replayed, by number. */
export const LESSONS: readonly Lesson[] = [lesson01, lesson03, lesson06, lesson11, lesson13, lesson16];
