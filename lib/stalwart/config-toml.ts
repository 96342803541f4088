import { UserError } from "../errors.ts";
import { toFileKeys } from "../desired-state/keys/keys.ts";
import type { StalwartSettings } from "../desired-state/schema.ts";

const SECTIONS: [prefix: string, comment: string][] = [
  ["server.", "Name, listeners, PROXY trust, bans"],
  ["store.", "Data store; the password is read from a file at start"],
  ["storage.", "What is kept where"],
  ["directory.", "Accounts live in the data store"],
  ["tracer.", "Log on stdout: the container's log is the log"],
  ["queue.", "Credentials of relays: in the file, because only here a file macro is expanded"],
  ["acme.", "The DNS provider's secret: in the file for the same reason"],
  ["signature.", "DKIM: each private key is read from a file"],
  ["http.", "Which paths a listener answers: management has one of its own"],
  ["spam-filter.", "What is fetched from the internet, by its release, and what is not"],
  ["webadmin.", "The admin UI likewise"],
  ["asn.", "Tables of addresses, likewise"],
  ["config.", "Which keys this file owns; everything else is in the data store"],
];

/**
 * The config file of a server that serves the API alone: the HTTP listener without PROXY, an
 * administrator, whose account is not there yet, and all else as it is, but for the spam filter's
 * rules and the tables of addresses. Rules that a first start fetches it puts over the keys of this
 * file, and upstream's switch those tables on (0.15.5 common/src/manager/boot.rs); so the deploy
 * has them fetched (provider/keys/downloads.ts).
 *
 * @example renderRecoveryToml(settings).includes("server.listener.smtp") === false
 */
export function renderRecoveryToml(settings: StalwartSettings): string {
  const listeners = settings.listeners.filter(({ protocol, proxy }) => protocol === "http" && !proxy);
  const { user, hashFile } = settings.admin;
  const admin = {
    "authentication.fallback-admin.user": user,
    "authentication.fallback-admin.secret": `%{file:${hashFile}}%`,
  };
  const lines = Object.entries(admin).map(([key, value]) => line(key, value));
  return [renderConfigToml({ ...settings, listeners, spamRules: "none", geo: "none" }), ...lines, ""].join(
    "\n",
  );
}

/**
 * Renders Stalwart's config file for the 0.15 line. One line a key, spelled as the API lists it, so
 * that file, preview and admin API can be compared word by word. Holds no secret: only the paths of
 * the files that do.
 *
 * @returns TOML, ending in a line break
 * @throws UserError for a value with a quote, a backslash or a line break: Stalwart's own TOML
 *   parser mistakes `\\"` (utils/src/config/parser.rs)
 */
export function renderConfigToml(settings: StalwartSettings): string {
  const keys = toFileKeys(settings);
  const lines = ["# Written by tailwart; changes are lost at the next deploy."];
  for (const [prefix, comment] of SECTIONS) {
    const own = Object.entries(keys).filter(([key]) => key.startsWith(prefix));
    if (own.length > 0) lines.push("", `# ${comment}.`, ...own.map(([key, value]) => line(key, value)));
  }
  const sections = SECTIONS.map(([prefix]) => prefix);
  const stray = Object.keys(keys).find((key) => !sections.some((prefix) => key.startsWith(prefix)));
  if (stray) throw new Error(`config.toml has no section for ${stray}`);
  return `${lines.join("\n")}\n`;
}

function line(key: string, value: string): string {
  if (/["\\\u0000-\u001f]/.test(value)) {
    throw new UserError(
      `${key} holds a quote, a backslash or a line break, which Stalwart's config file cannot carry`,
      {
        path: key,
      },
    );
  }
  return `${key} = "${value}"`;
}
