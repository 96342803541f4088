import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { reportsIn } from "../../../../cli/docs/review-picture.ts";
import { toMarkdown } from "../../../../cli/review/markdown.ts";
import { recorded } from "./fixtures.ts";

const page = readFileSync(join(import.meta.dirname, "../../../../docs/review.md"), "utf8");
const samples = reportsIn(page);

describe("docs/review.md", () => {
  test("shows what the tool writes of a recorded preview that a policy refuses", () => {
    expect(`${samples[0]}\n`).toBe(toMarkdown([recorded("violations", { stack: "raw" })]));
  });

  test("shows what the tool writes of what is replaced", () => {
    expect(samples[1]?.startsWith("### What is replaced, and how long mail is down")).toBe(true);
    expect(toMarkdown([recorded("replaced")])).toContain(samples[1]);
  });
});
