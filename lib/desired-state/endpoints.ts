/**
 * Which HTTP paths a listener answers (decision 19). Management has a listener of its own; every
 * other one answers what mail programs and other servers ask for, and nothing else: not the API,
 * not the admin UI, not metrics.
 *
 * Paths are those of stalwart v0.15.5 and v0.16.18, crates/http/src/request.rs. Stalwart tells them
 * apart by their first segment, with no decoding, so a pattern on the raw path says what it says.
 * Requests from loopback are never refused.
 */
import type { StalwartSettings } from "./schema.ts";

/**
 * What stays open. `auth` holds the OAuth endpoints that programs ask by themselves (tokens, device
 * codes, keys); the page on which a person consents is part of the admin UI, and `api` has nothing
 * that a mail program asks for.
 */
const PUBLIC = [
  "jmap",
  "dav",
  // MTA-STS, autoconfig, the places of JMAP and DAV, ACME's http-01, OAuth metadata
  "[.]well-known",
  "auth",
  "calendar/rsvp", // links in invitations, which their recipients open
  "mail/config-v1[.]1[.]xml",
  "[Aa]uto[Dd]iscover",
  "robots[.]txt",
];

/**
 * Words that Stalwart bans for: beginnings of paths that nothing answers. They go on to where it
 * does so, since a refusal of the path comes first (common/src/listener/blocked.rs).
 */
const SCANNED = [
  "[.][.]",
  "[.](php|cgi|asp)",
  "wp-",
  "php",
  "cgi-bin",
  "xmlrpc",
  "joomla",
  "wordpress",
  "drupal",
];

/** The variable with the request's path, in the words of either generation. */
type PathVariable = "url_path" | "path";

/** A condition of Stalwart's expressions, and the HTTP status that it leads to. */
export type EndpointRule = [condition: string, status: "200"];

/** What is refused. */
export const REFUSED = "404";

/**
 * What may be asked of which listener; what no rule names is refused.
 *
 * @example endpointRules(settings, "url_path")[0] // ["listener == 'admin'", "200"]
 */
export function endpointRules({ listeners }: StalwartSettings, path: PathVariable): EndpointRule[] {
  return [
    ...listeners
      .filter(({ management }) => management)
      .map(({ name }): EndpointRule => [`listener == '${name}'`, "200"]),
    [`matches('^/(${PUBLIC.join("|")})(/|$)', ${path})`, "200"],
    [`matches('(?i)^/[^/]*(${SCANNED.join("|")})', ${path})`, "200"],
  ];
}
