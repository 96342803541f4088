// The images that the lab's stack runs on, held against the table of facts about the official ones.
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { prove } from "../../cli/parts/mail-round-trip.ts";

import { differences } from "../../lab/images/check.ts";
import { FACTS, type ImageFacts, type LayoutName } from "../../lab/images/facts.ts";
import { BUILT, buildLayout, IMAGE_NAMES, type ImageName, inWorkshop } from "../../lab/images/images.ts";
import { type NotedImage, type NotedImages, notedImages } from "../../lab/images/noted.ts";
import { type Manifest, SCRAP } from "../../lab/images/store.ts";
import { pushImages } from "../../lab/image-registry.ts";
import { container, docker, facts, lab, layout, said, up } from "./lab.ts";

/** Unpacks an image and says what is not as the table has it. */
async function found(manifest: Manifest, table: ImageFacts): Promise<string[]> {
  return inWorkshop(
    layout,
    () => {},
    async ({ store, cacheDir }) => {
      const root = mkdtempSync(join(cacheDir, `${SCRAP}root-`));
      try {
        await store.unpack(manifest, root);
        return await differences(root, store.configOf(manifest), table);
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
    },
  );
}

/**
 * The layout that an image is to have: the built one's, or that of a given Stalwart's line. Lines
 * from 0.16 on have one.
 */
function layoutName(name: ImageName, { source, line }: NotedImage): LayoutName {
  if (name !== "stalwart" || source === undefined) return BUILT[name];
  return line === "0.15" ? "stalwart-0.15" : "stalwart-0.16";
}

describe("the images of the lab, as the official ones", () => {
  const images = notedImages(layout) as NotedImages;

  test.each(IMAGE_NAMES)("%s", async (name) => {
    expect(await found(images[name].manifest, FACTS[layoutName(name, images[name])])).toEqual([]);
  });
});

/** One more Debian and two deployments: in `npm run test:full`. */
describe.runIf(process.env["TAILWART_FULL"])("Stalwart in the layout of 0.16", () => {
  let manifest: Manifest;

  beforeAll(async () => {
    manifest = await inWorkshop(
      layout,
      () => {},
      (workshop) => buildLayout(workshop, "stalwart-0.16"),
    );
  }, 600_000);

  afterAll(async () => {
    expect((await up()).code).toBe(0);
  }, 300_000);

  test("is as the table says", async () => {
    expect(await found(manifest, FACTS["stalwart-0.16"])).toEqual([]);
  });

  test("is deployed in the place of 0.15's, and mail goes in and out", async () => {
    await pushImages(layout, [{ name: "stalwart", manifest }]);
    const image = facts.images.stalwart.replace(/@.*/, `@${manifest.digest}`);
    const run = await up({ "tailwart:images/stalwart": image });
    expect(run.code, said(run)).toBe(0);
    expect(docker("kvm", "inspect", "--format", "{{.Config.Image}}", container("stalwart")).trim()).toBe(
      image,
    );
    expect(await prove(lab)).toHaveLength(2);
  });
});
