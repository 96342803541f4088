import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Line } from "../../lib/stalwart/release.ts";
import type { Layout } from "../topology.ts";
import { type GivenImage, takeImage } from "./given.ts";
import { buildLayout, BUILT, IMAGE_NAMES, type ImageName, inWorkshop } from "./images.ts";
import type { Manifest } from "./store.ts";

/** What `up` notes of one of a lab's images. */
export interface NotedImage {
  /** As a container names it: registry, repository and digest. */
  reference: string;
  /** Where it was taken from; not there for the lab's own. */
  source?: string;
  /** Line of Stalwart that is in it. */
  line?: Line;
  manifest: Manifest;
}
export type NotedImages = Record<ImageName, NotedImage>;

/** Line of the lab's own server. */
const OWN_LINE: Line = "0.15";

/** Makes the lab's images or takes those that are given, and notes them once they can be pulled. */
export async function chooseImages(
  layout: Layout,
  given: readonly GivenImage[],
  log: (line: string) => void,
): Promise<NotedImages> {
  return inWorkshop(layout, log, async (workshop) => {
    const chosen = {} as NotedImages;
    for (const name of IMAGE_NAMES) {
      const one = given.find((each) => each.name === name);
      const manifest = one ? await takeImage(workshop, one) : await buildLayout(workshop, BUILT[name]);
      chosen[name] = {
        reference: `${layout.registry}/tailwart/${name}@${manifest.digest}`,
        manifest,
        ...(one && { source: one.source }),
        ...(name === "stalwart" && { line: one?.line ?? OWN_LINE }),
      };
    }
    return chosen;
  });
}

/** What is said of the images: which are not the lab's own, and which were not until now. */
export function remarks(before: NotedImages | undefined, now: NotedImages): string[] {
  return IMAGE_NAMES.flatMap((name) => {
    const { source, line } = now[name];
    if (source) return [`${name} is ${source}${line ? `, Stalwart ${line}` : ""}`];
    const former = before?.[name].source;
    return former ? [`${name} is the lab's own again; to keep the other: --image ${name}=${former}`] : [];
  });
}

/** Notes the images of a lab. */
export function noteImages(layout: Layout, images: NotedImages): void {
  writeFileSync(imagesFile(layout), JSON.stringify(images, null, 2));
}

/**
 * The images of a lab that has been up; undefined for another, or one that an older version has
 * left.
 */
export function notedImages(layout: Layout): NotedImages | undefined {
  if (!existsSync(imagesFile(layout))) return undefined;
  const noted = JSON.parse(readFileSync(imagesFile(layout), "utf8")) as Partial<NotedImages>;
  return IMAGE_NAMES.every((name) => noted[name]?.manifest) ? (noted as NotedImages) : undefined;
}

const imagesFile = (layout: Layout) => join(layout.stateDir, "images.json");
