import { readFileSync } from "node:fs";

import { WATCH_LISTENER } from "../mail-services.ts";
import { APPLIED_KEY, NO_SPAM_RULES_FILE } from "../desired-state/keys/keys.ts";
import type { StalwartSettings } from "../desired-state/schema.ts";
import type { LeftOut } from "../guards.ts";
import { APPLIED_MARKER } from "../desired-state/registry/objects.ts";
import { renderConfigJson } from "./config-json.ts";
import { renderConfigToml, renderRecoveryToml } from "./config-toml.ts";
import type { Generation } from "./release.ts";
import { STALWART_DIRECTORY } from "./paths.ts";

/** A file to be put into Stalwart's container. */
export interface StalwartFile {
  /** Absolute path in the container. */
  path: string;
  content: string;
  /**
   * Permission bits as chmod takes them. Only secrets, which are not in here, belong to Stalwart's
   * own user.
   */
  mode: string;
}

const RECOVERY_TOML = `${STALWART_DIRECTORY}/recovery.toml`;

/** The container's command. @example ["bash", "/etc/stalwart/entrypoint.sh"] */
export const STALWART_COMMAND = ["bash", `${STALWART_DIRECTORY}/entrypoint.sh`];

/**
 * Gate and watch around the server (decision 5); bash. What they read from the environment stands
 * at their tops.
 */
const SCRIPTS: StalwartFile[] = ["entrypoint.sh", "recovery.sh"].map((name) => ({
  path: `${STALWART_DIRECTORY}/${name}`,
  content: readFileSync(new URL(`./${name}`, import.meta.url), "utf8"),
  mode: "0555",
}));

/** What holds the entrypoint until Postgres answers and has tailwart's settings. */
const GATE = "  gate\n  until_applied || continue\n";

/** The scripts as a lab has them that replays lesson 1. Production's know of no switch. */
const withoutGate = (file: StalwartFile): StalwartFile => ({
  ...file,
  content: file.content.replace(GATE, ""),
});

/**
 * The set of rules that stands in for the spam filter's download. Stalwart fetches rules at its
 * first start, and inserts its default settings (queues, retry schedules) only together with them;
 * while it has none it tries again at every start and overwrites hand-made queue settings with the
 * defaults each time (common/src/manager/boot.rs). Any version will do; `version.server` is the
 * least server that may take it.
 */
const NO_SPAM_RULES = `# Written by tailwart: no spam rules, so that nothing is fetched from the internet.
version.spam-filter = "0.0.1"
version.server = "0.15.0"
`;

/**
 * Every file without a secret that Stalwart's container needs. They are to be read-only for the
 * server (owner root): a hand edit of a file setting through the API then fails to stick, instead
 * of rewriting config.toml.
 *
 * @param withoutGuards guards that a lab leaves out: 1, the gate
 * @example stalwartFiles(settings).map((file) => file.path)
 * // ["/etc/stalwart/config.toml", "/etc/stalwart/entrypoint.sh", …]
 */
export function stalwartFiles(
  settings: StalwartSettings,
  generation: Generation = "keys",
  withoutGuards: LeftOut = {},
): StalwartFile[] {
  const scripts = withoutGuards[1] ? SCRIPTS.map(withoutGate) : SCRIPTS;
  if (generation === "registry")
    return [
      { path: `${STALWART_DIRECTORY}/config.json`, content: renderConfigJson(settings), mode: "0444" },
      ...scripts,
    ];
  return [
    { path: `${STALWART_DIRECTORY}/config.toml`, content: renderConfigToml(settings), mode: "0444" },
    { path: RECOVERY_TOML, content: renderRecoveryToml(settings), mode: "0444" },
    ...scripts,
    { path: NO_SPAM_RULES_FILE, content: NO_SPAM_RULES, mode: "0444" },
  ];
}

/**
 * Environment of the entrypoint.
 *
 * @param watch false switches the watch off, as a lab does to replay lesson 16
 * @param withoutGuards further guards that a lab leaves out: 13, the end of who has lost its
 *   namespace
 */
export function entrypointEnvironment(
  settings: StalwartSettings,
  options: { watch?: boolean; generation?: Generation; withoutGuards?: LeftOut } = {},
): Record<string, string> {
  const watched = settings.listeners.find(({ name }) => name === WATCH_LISTENER.name);
  return {
    TAILWART_POSTGRES_HOST: settings.postgres.host,
    TAILWART_POSTGRES_PORT: String(settings.postgres.port),
    ...(settings.postgres.tls && { TAILWART_POSTGRES_TLS: "on" }),
    TAILWART_ADMIN: `${settings.admin.user}:${settings.admin.hashFile}`,
    ...(options.generation === "registry"
      ? {
          TAILWART_STALWART: `/usr/local/bin/stalwart --config ${STALWART_DIRECTORY}/config.json`,
          TAILWART_MARKER_ROW: APPLIED_MARKER,
        }
      : {
          TAILWART_MARKER_KEY: APPLIED_KEY,
          TAILWART_RECOVERY: `/usr/local/bin/stalwart --config ${RECOVERY_TOML}`,
        }),
    TAILWART_WATCH: options.watch === false || watched === undefined ? "off" : "on",
    ...(watched ? { TAILWART_WATCH_PORT: String(watched.port) } : {}),
    // A device that is in every namespace, a dead one included.
    ...(options.withoutGuards?.[13] && { TAILWART_DEVICE: "lo" }),
  };
}
