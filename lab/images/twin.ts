import { createHash } from "node:crypto";

import { pushImages } from "../image-registry.ts";
import type { Layout } from "../topology.ts";
import type { ImageName } from "./images.ts";
import { notedImages } from "./noted.ts";

/**
 * Pushes an image of the lab once more under another digest, as a release with nothing new in it.
 *
 * @returns its reference
 */
export async function pushTwin(layout: Layout, name: ImageName): Promise<string> {
  const noted = notedImages(layout)?.[name];
  if (!noted) throw new Error(`the lab "${layout.name}" has no image for ${name}`);
  // Blanks in JSON: the same manifest, and another digest.
  const body = `${noted.manifest.body} `;
  const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
  await pushImages(layout, [{ name, manifest: { ...noted.manifest, body, digest } }]);
  return noted.reference.replace(/@.*/, `@${digest}`);
}
