import { assignedSecretsIn } from "./assignments.ts";
import { isLiteralSecret, isLogin } from "./literals.ts";
import { secretShapesIn } from "./shapes.ts";

/** caddy-docker-proxy's labels are lines of a Caddyfile: `caddy.tls.dns=hetzner …`. */
const CADDY = /^caddy(?:_\d+)?\./;
/** A user below Caddy's `basic_auth`; the word behind it is the hash of the password. */
const CADDY_USER = /^caddy(?:_\d+)?\.(?:.+\.)?(?:\d+_)?basic_?auth\.[^.]+$/;
/** Traefik's `user:hash` pairs, separated by commas. */
const USERS = /\.basicauth\.users$/i;
/** The dashboard homepage has the API keys of what it shows under this name. */
const WIDGET_KEY = /^homepage\.(?:.+\.)?widgets?(?:\[\d+\])?\.key$/;

const LOGIN = "holds a user with the password, written as plain text";

/**
 * What is wrong with a label that only its name and its value together say; empty for one that is
 * to be judged as any text.
 */
export function whatsOfLabel(name: string, value: string): string[] {
  if (USERS.test(name)) return value.split(",").some((login) => isLogin("basic_auth", login)) ? [LOGIN] : [];
  if (CADDY_USER.test(name)) return isLiteralSecret(value.split(/\s+/).at(-1) ?? "") ? [LOGIN] : [];
  if (WIDGET_KEY.test(name))
    return isLiteralSecret(value) ? ["is a secret by its name, written as plain text"] : [];
  const last = name.slice(name.lastIndexOf(".") + 1).replace(/^\d+_/, "");
  const line = `${last} ${value}`;
  const shapes = [...new Set(secretShapesIn(line).map(({ what }) => `holds ${what} as plain text`))];
  if (shapes.length > 0 || !CADDY.test(name)) return shapes;
  return assignedSecretsIn(line).map((one) => `gives ${one} as plain text`);
}
