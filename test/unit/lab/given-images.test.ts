// `--image` and `--line` of `npm run up`: what is taken, and what is refused before anything is
// started.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { givenImages } from "../../../lab/images/given.ts";
import { remarks, type NotedImages } from "../../../lab/images/noted.ts";

const DIGEST = `sha256:${"1".repeat(64)}`;
const PINNED = `stalwartlabs/stalwart:v0.16.18@${DIGEST}`;
let folder: string;

/** An archive with these files; what is in them is JSON. */
function archive(name: string, files: Record<string, unknown>): string {
  const content = join(folder, `${name}-content`);
  mkdirSync(content);
  for (const [file, value] of Object.entries(files))
    writeFileSync(join(content, file), JSON.stringify(value));
  const path = join(folder, name);
  execFileSync("tar", ["--create", `--file=${path}`, `--directory=${content}`, ...Object.keys(files)]);
  return path;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-given-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a given image", () => {
  test("is a name with a digest, whose tag tells the line", async () => {
    expect(await givenImages([`stalwart=${PINNED}`], undefined)).toEqual([
      { name: "stalwart", source: PINNED, line: "0.16" },
    ]);
    expect(await givenImages([`edge=caddy@${DIGEST}`], undefined)).toEqual([
      { name: "edge", source: `caddy@${DIGEST}` },
    ]);
  });

  test("is an archive of either layout, whose tag tells the line", async () => {
    const legacy = archive("legacy.tar", { "manifest.json": [{ RepoTags: ["stalwart:v0.15.5"] }] });
    const oci = archive("oci.tar", {
      "index.json": {
        manifests: [{ annotations: { "io.containerd.image.name": "docker.io/x/stalwart:v1.0.0" } }],
      },
    });
    expect(await givenImages([`stalwart=${legacy}`], undefined)).toMatchObject([{ line: "0.15" }]);
    const ref = { "org.opencontainers.image.ref.name": "v0.16.18" };
    const tagAlone = archive("tag.tar", { "index.json": { manifests: [{ annotations: ref }] } });
    expect(await givenImages([`stalwart=${oci}`], undefined)).toMatchObject([{ source: oci, line: "1" }]);
    expect(await givenImages([`stalwart=${tagAlone}`], undefined)).toMatchObject([{ line: "0.16" }]);
  });

  test("of Stalwart without a version in its tag needs --line, and is taken with it", async () => {
    const nameless = archive("nameless.tar", { "manifest.json": [{ RepoTags: null }] });
    await expect(givenImages([`stalwart=${nameless}`], undefined)).rejects.toThrow(
      /no tag that names Stalwart's version\n  write --line with one of 0\.15, 0\.16, 1/,
    );
    expect(await givenImages([`stalwart=${nameless}`], "0.16")).toMatchObject([{ line: "0.16" }]);
  });

  test("whose tag and --line differ is refused", async () => {
    await expect(givenImages([`stalwart=${PINNED}`], "1")).rejects.toThrow(
      /is of the line 0\.16 and not 1\n  write --line 0\.16/,
    );
  });

  test.each([
    ["postfix=x.tar", /"postfix=x\.tar" names no image of the lab\n  write NAME=FILE/],
    ["stalwart", /"stalwart" names no image of the lab\n  write NAME=FILE/],
    ["stalwart=", /"" is neither a file nor a name with a digest\n  write NAME=FILE/],
    ["stalwart=/no/such.tar", /"\/no\/such\.tar" is neither a file nor a name with a digest/],
    ["stalwart=stalwartlabs/stalwart:v0.16.18", /neither a file nor a name with a digest/],
    [`stalwart=x@sha256:123`, /neither a file nor a name with a digest/],
  ])("%s is refused with what to write instead", async (word, message) => {
    await expect(givenImages([word], "0.15")).rejects.toThrow(message);
  });

  test("that is no archive, or one of two images, is refused", async () => {
    const text = join(folder, "text");
    writeFileSync(text, "no archive\n");
    await expect(givenImages([`stalwart=${text}`], "0.15")).rejects.toThrow(
      /is no archive of an image\n  write/,
    );
    const two = archive("two.tar", { "manifest.json": [{ RepoTags: ["a:1"] }, { RepoTags: ["b:1"] }] });
    await expect(givenImages([`stalwart=${two}`], "0.15")).rejects.toThrow(/holds 2 images\n  save one/);
  });

  test("is given once, and --line only beside Stalwart's", async () => {
    await expect(givenImages([`edge=x@${DIGEST}`, `edge=y@${DIGEST}`], undefined)).rejects.toThrow(
      /given twice/,
    );
    await expect(givenImages([`edge=x@${DIGEST}`], "0.16")).rejects.toThrow(/none is given/);
    await expect(givenImages([`stalwart=${PINNED}`], "0.17")).rejects.toThrow(
      /"0\.17" is no line of Stalwart/,
    );
  });
});

describe("what `up` says of the images", () => {
  const manifest = { digest: DIGEST, mediaType: "", body: "", blobs: [] };
  const own = { reference: "", manifest };
  const lab: NotedImages = { anchor: own, sidecar: own, stalwart: { ...own, line: "0.15" }, edge: own };
  const given: NotedImages = { ...lab, stalwart: { ...own, line: "0.16", source: "/a.tar" } };

  test("nothing of the lab's own", () => {
    expect(remarks(undefined, lab)).toEqual([]);
    expect(remarks(lab, lab)).toEqual([]);
  });

  test("which is given, and that the next one without it goes back", () => {
    expect(remarks(lab, given)).toEqual(["stalwart is /a.tar, Stalwart 0.16"]);
    expect(remarks(given, lab)).toEqual([
      "stalwart is the lab's own again; to keep the other: --image stalwart=/a.tar",
    ]);
  });
});
