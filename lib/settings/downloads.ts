/**
 * What Stalwart fetches by itself: the spam filter's rules and its admin UI. Left alone it takes the "latest" release of both, whatever that is
 * on the day, and the UI is code that an administrator's browser runs; so each is named by its release.
 */
import { z } from "zod";

import type { Generation } from "../stalwart/line.ts";

/** Releases of the server's own makers that fit its lines: those of late 0.15, and those of 0.16.18. */
const RELEASES = "https://github.com/stalwartlabs";
const UPSTREAM: Readonly<Record<Download, Readonly<Record<Generation, string>>>> = {
  spamRules: {
    settings: `${RELEASES}/spam-filter/releases/download/v2.0.5/spam-filter.toml`,
    registry: `${RELEASES}/spam-filter/releases/download/v3.0.0/spam-filter-rules.json.gz`,
  },
  adminUi: {
    settings: `${RELEASES}/webadmin/releases/download/v0.1.33/webadmin.zip`,
    registry: `${RELEASES}/webui/releases/download/v1.0.8/webui.zip`,
  },
};

/** A field of the desired state that says where something is fetched from. */
export type Download = "spamRules" | "adminUi";

const accepts = '"upstream", "none" or an https URL';

/** A field for what Stalwart fetches. */
export const downloadSchema = (what: string, example: string) =>
  z
    .union([z.literal("upstream"), z.literal("none"), z.url({ protocol: /^https$/ })], {
      error: `accepts ${accepts}`,
    })
    .default("upstream")
    .meta({ accepts, examples: ["upstream", "none", example] })
    .describe(
      `${what} "upstream": the release of Stalwart's makers that this version of tailwart names. "none" fetches nothing.`,
    );

/**
 * Where it is fetched from; undefined for nowhere.
 *
 * @example sourceOf("adminUi", "none", "settings") === undefined
 */
export function sourceOf(download: Download, wanted: string, generation: Generation): string | undefined {
  if (wanted === "none") return undefined;
  return wanted === "upstream" ? UPSTREAM[download][generation] : wanted;
}
