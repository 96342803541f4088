/**
 * What Stalwart fetches by itself: the spam filter's rules, its admin UI, and tables that tell of
 * an address whose network and which country it is in. Left alone it takes the "latest" release of
 * each, whatever that is on the day, and the UI is code that an administrator's browser runs; so
 * each is named by its release.
 */
import { z } from "zod";

import type { Generation } from "../stalwart/release.ts";

/**
 * Releases of the server's own makers that fit its lines: those of late 0.15, and those of 0.16.18.
 */
const RELEASES = "https://github.com/stalwartlabs";
const UPSTREAM: Readonly<Record<Download, Readonly<Record<Generation, string>>>> = {
  spamRules: {
    keys: `${RELEASES}/spam-filter/releases/download/v2.0.5/spam-filter.toml`,
    registry: `${RELEASES}/spam-filter/releases/download/v3.0.0/spam-filter-rules.json.gz`,
  },
  webUi: {
    keys: `${RELEASES}/webadmin/releases/download/v0.1.33/webadmin.zip`,
    registry: `${RELEASES}/webui/releases/download/v1.0.8/webui.zip`,
  },
};

/** A field of the desired state that says where something is fetched from. */
export type Download = "spamRules" | "webUi";

/** Addresses at which there is something else from one day to the next. */
const MOVING: readonly RegExp[] = [
  /^https:\/\/[^/]+\/.*\blatest\b/i,
  // A branch.
  /^https:\/\/(?:raw\.githubusercontent|github)\.com\/.*\/(?:main|master|HEAD)\//,
  // A package of npm without its whole version.
  /^https:\/\/(?:cdn\.jsdelivr\.net\/npm|unpkg\.com)\/(?!.*@\d+\.\d+\.\d+)/,
];

/** Where a release of something lies, and nothing else later on. */
const pinnedUrl = z
  .url({ protocol: /^https$/, error: "accepts an https URL" })
  .refine((url) => MOVING.every((pattern) => !pattern.test(url)), {
    error:
      'is at another release from one day to the next; accepts a URL with a version or a date of its own, and no "latest", branch, or npm package without its whole version',
  });

const accepts = '"upstream", "none" or an https URL of a release';

/** A field for what Stalwart fetches. */
export const downloadSchema = (what: string, fallback: "upstream" | "none", example: string) =>
  z
    .union([z.literal("upstream"), z.literal("none"), pinnedUrl], {
      error: `accepts ${accepts}`,
    })
    .default(fallback)
    .meta({ accepts, examples: ["upstream", "none", example] })
    .describe(
      `${what} "upstream": the release of Stalwart's makers that this version of tailwart names. "none" fetches nothing.`,
    );

const TABLES = "https://mirror.example.org/2026-06-17";
const acceptsTables =
  '"none", or asnUrls and geoUrls: lists of https URLs of a release, one of them at least';

/**
 * A field for the tables of addresses. There is no "upstream": Stalwart's own URLs (0.16.18
 * common/src/manager/defaults.rs, and rules/asn.toml of its spam filter's rules for 0.15) move, at
 * their source there is a tag "latest" alone, and its packages of npm say in their own READMEs
 * (2.3.2026061719) that what is in them is wrong. A row is `first address,last address,` and an AS
 * number with a name, or a country's code.
 */
export const geoSchema = z
  .union(
    [
      z.literal("none"),
      z
        .strictObject({ asnUrls: z.array(pinnedUrl).default([]), geoUrls: z.array(pinnedUrl).default([]) })
        .refine(({ asnUrls, geoUrls }) => asnUrls.length + geoUrls.length > 0, {
          error: `names no table; accepts ${acceptsTables}`,
        }),
    ],
    { error: `accepts ${acceptsTables}` },
  )
  .default("none")
  .meta({
    accepts: acceptsTables,
    examples: [
      {
        asnUrls: [`${TABLES}/asn-ipv4.csv`, `${TABLES}/asn-ipv6.csv`],
        geoUrls: [`${TABLES}/country-ipv4.csv`, `${TABLES}/country-ipv6.csv`],
      },
      "none",
    ],
  })
  .describe(
    'CSV files that tell whose network an address is in (asnUrls) and which country (geoUrls), for Received lines and the spam filter. Stalwart fetches them at its start and once a day, each of 100 MiB at most. "none" fetches nothing.',
  );

/**
 * Where it is fetched from; undefined for nowhere.
 *
 * @example sourceOf("webUi", "none", "keys") === undefined
 */
export function sourceOf(download: Download, wanted: string, generation: Generation): string | undefined {
  if (wanted === "none") return undefined;
  return wanted === "upstream" ? UPSTREAM[download][generation] : wanted;
}
