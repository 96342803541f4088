import { describe, expect, test } from "vitest";

import { generationOf, lineOfImage, refusedJump } from "../../../lib/stalwart/line.ts";

const DIGEST = `@sha256:${"a".repeat(64)}`;

describe("the line of an image", () => {
  test.each([
    [`stalwartlabs/stalwart:v0.15.5${DIGEST}`, "0.15"],
    [`ghcr.io/stalwartlabs/stalwart:v0.16.18-alpine${DIGEST}`, "0.16"],
    [`stalwartlabs/stalwart:v1.1.0${DIGEST}`, "1"],
    [`stalwartlabs/stalwart:v1${DIGEST}`, "1"],
    [`10.0.0.1:5000/stalwart:0.15.5${DIGEST}`, "0.15"],
  ])("of %s is %s", (image, line) => expect(lineOfImage(image)).toBe(line));

  test.each([
    `stalwart${DIGEST}`,
    `10.0.0.1:5000/stalwart${DIGEST}`,
    `stalwart:latest${DIGEST}`,
    `stalwart:v0.14.0${DIGEST}`,
    `stalwart:v2.0.0${DIGEST}`,
  ])("of %s is not known", (image) => expect(lineOfImage(image)).toBeUndefined());

  test("decides how its settings are reached", () => {
    expect(generationOf("0.15")).toBe("settings");
    expect(generationOf("0.16")).toBe("registry");
    expect(generationOf("1")).toBe("registry");
  });
});

describe("a jump to another line", () => {
  const on = (line: string, dataStore = "db:5432/mail") => ({ line, dataStore });

  test.each([
    ["0.15", "0.16"],
    ["0.16", "1"],
    ["1", "0.16"],
  ])("from %s to %s is refused on the same data store", (before, after) => {
    const reason = refusedJump(on(before), on(after));
    expect(reason).toContain(`from Stalwart ${before} to ${after} on the same data store db:5432/mail`);
    expect(reason).toMatch(/new, empty database/);
  });

  test("is taken with a new data store, and so is the first deploy and another image of the same line", () => {
    expect(refusedJump(on("0.16"), on("1", "db:5432/new"))).toBeUndefined();
    expect(refusedJump({}, on("1"))).toBeUndefined();
    expect(refusedJump(on("0.16"), on("0.16"))).toBeUndefined();
  });
});
