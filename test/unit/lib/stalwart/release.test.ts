import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import {
  generationOf,
  lineOfImage,
  refusedBlobs,
  refusedJump,
  refusedMove,
  refusedName,
} from "../../../../lib/stalwart/release.ts";

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
    // Digests that begin as a version does.
    `stalwart@sha256:1${"b".repeat(63)}`,
    `10.0.0.1:5000/stalwart@sha256:0${"a".repeat(63)}`,
    `stalwart:latest@sha256:1${"c".repeat(63)}`,
  ])("of %s is not known", (image) => expect(lineOfImage(image)).toBeUndefined());

  test("decides how its settings are reached", () => {
    expect(generationOf("0.15")).toBe("keys");
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

describe("another place for messages", () => {
  const on = (blobStore: string, dataStore = "db:5432/mail") => ({ blobStore, dataStore });

  test.each([
    ["postgres", "https://s3.tail.test/mail/"],
    ["https://s3.tail.test/mail/", "postgres"],
    ["https://s3.tail.test/mail/", "https://s3.tail.test/mail/new"],
  ])("from %s to %s is refused on the same data store", (before, after) => {
    const reason = refusedBlobs(on(before), on(after));
    expect(reason).toContain(`into ${after} from now on`);
    expect(reason).toContain(`lie in ${before}`);
    expect(reason).toMatch(/write tailwart:settings\.blobStore back/);
  });

  test("is taken with a new data store, at the first deploy, and where nothing changes", () => {
    expect(refusedBlobs(on("postgres"), on("eu-west-1/mail/", "db:5432/new"))).toBeUndefined();
    expect(refusedBlobs({}, on("postgres"))).toBeUndefined();
    expect(refusedBlobs(on("postgres"), on("postgres"))).toBeUndefined();
  });
});

describe("a move to another host", () => {
  const on = (host: string) => ({ dockerHost: `ssh://root@${host}` });

  test("is refused while the state holds what runs on the one before, and told where to read on", () => {
    const reason = refusedMove(on("old"), on("new"));
    expect(reason).toContain("from ssh://root@old to ssh://root@new");
    expect(reason).toContain('"A new KVM host"');
    expect(readFileSync("docs/operate.md", "utf8")).toContain("\n## A new KVM host\n");
  });

  test("is none at the first deploy, after it was taken away, and where nothing changes", () => {
    expect(refusedMove({}, on("new"))).toBeUndefined();
    expect(refusedMove({ line: "0.16" }, on("new"))).toBeUndefined();
    expect(refusedMove(on("old"), on("old"))).toBeUndefined();
  });
});

test("another name of the stack is refused, with the command that takes it back", () => {
  expect(refusedName({ stack: "prod" }, { stack: "mail" })).toContain("pulumi stack rename prod");
  expect(refusedName({}, { stack: "mail" })).toBeUndefined();
  expect(refusedName({ stack: "prod" }, { stack: "prod" })).toBeUndefined();
});
