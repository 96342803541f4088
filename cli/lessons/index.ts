import type { Lesson } from "./lesson.ts";
import { lesson01 } from "./01.ts";
import { lesson02 } from "./02.ts";
import { lesson03 } from "./03.ts";
import { lesson04 } from "./04.ts";
import { lesson05 } from "./05.ts";
import { lesson06 } from "./06.ts";
import { lesson07 } from "./07.ts";
import { lesson08 } from "./08.ts";
import { lesson09 } from "./09.ts";
import { lesson10 } from "./10.ts";
import { lesson11 } from "./11.ts";
import { lesson12 } from "./12.ts";
import { lesson13 } from "./13.ts";
import { lesson14 } from "./14.ts";
import { lesson15 } from "./15.ts";
import { lesson16 } from "./16.ts";
import { lesson17 } from "./17.ts";
import { lesson18 } from "./18.ts";
import { lesson19 } from "./19.ts";

/** Every lesson that is replayed, by number. */
export const LESSONS: readonly Lesson[] = [
  lesson01,
  lesson02,
  lesson03,
  lesson04,
  lesson05,
  lesson06,
  lesson07,
  lesson08,
  lesson09,
  lesson10,
  lesson11,
  lesson12,
  lesson13,
  lesson14,
  lesson15,
  lesson16,
  lesson17,
  lesson18,
  lesson19,
];
