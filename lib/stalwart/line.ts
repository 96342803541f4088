/** Lines of Stalwart that tailwart knows. A data store of one cannot be opened by another (upgrade guides of 0.16 and 1.0). */
export const LINES = ["0.15", "0.16", "1"] as const;
export type Line = (typeof LINES)[number];

/** How a server's settings are reached: flat keys behind /api/settings, or objects of the registry behind /jmap. */
export type Generation = "settings" | "registry";

/** The generation of a line. @example generationOf("0.15") === "settings" */
export const generationOf = (line: Line): Generation => (line === "0.15" ? "settings" : "registry");

/**
 * The line that an image's tag names, or undefined when it names none, or one that tailwart does not know.
 *
 * @example lineOfImage("stalwartlabs/stalwart:v0.16.18@sha256:…") === "0.16"
 * @example lineOfImage("stalwart@sha256:…") === undefined
 */
export function lineOfImage(image: string): Line | undefined {
  const [, major, minor] = /:v?(\d+)(?:\.(\d+))?[^/:@]*(?:@|$)/.exec(image) ?? [];
  if (major === undefined) return undefined;
  const line = major === "0" ? `0.${minor ?? ""}` : major;
  return LINES.find((known) => known === line);
}

/** What runs on which data store. */
export interface Deployed {
  line: string;
  /** `host:port/database`. */
  dataStore: string;
}

/**
 * Why the server of one deploy must not take over the data store of another, or nothing when it may.
 *
 * @example refusedJump({ line: "0.16", dataStore: "db:5432/mail" }, { line: "1", dataStore: "db:5432/mail" })
 */
export function refusedJump(before: Partial<Deployed>, after: Partial<Deployed>): string | undefined {
  if (!before.line || !after.line || before.line === after.line || before.dataStore !== after.dataStore)
    return undefined;
  return (
    `goes from Stalwart ${before.line} to ${after.line} on the same data store ${after.dataStore}, which neither can share; ` +
    "migrate into a new, empty database first, and name that in tailwart:postgres.database"
  );
}
