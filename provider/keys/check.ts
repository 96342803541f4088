/**
 * Input checks of `tailwart:mail:Settings`, for programs that use the resource by itself; see
 * ../server/check.ts.
 */
import type { Failure } from "../plugin/served-resource.ts";
import { UNKNOWN } from "../plugin/diff.ts";
import {
  checkAccounts,
  checkAdmin,
  checkGroups,
  checkTarget,
  type Fail,
  isListOf,
  isMap,
  checkWithoutGuards,
  leavesOut,
  type Json,
} from "../server/check.ts";
import { DEFAULT_API } from "../server/state.ts";

/** Fills in defaults. Unknown values pass: they are checked again once they are known. */
export function withDefaults(inputs: Json): Json {
  const target = isMap(inputs.target) ? { api: DEFAULT_API, ...inputs.target } : inputs.target;
  return { fileSettings: {}, domains: [], accounts: {}, groups: {}, lists: {}, ...inputs, target };
}

/** Everything that is wrong with the inputs; [] when nothing is. Never repeats a secret. */
export function checkInputs(inputs: Json): Failure[] {
  const failures: Failure[] = [];
  const fail = (property: string, reason: string) => failures.push({ property, reason });
  checkTarget(inputs.target, fail);
  for (const property of ["settings", "fileSettings"] as const) {
    const map = inputs[property];
    if (map === UNKNOWN) continue;
    if (!isMap(map)) fail(property, "accepts a map of Stalwart's keys to texts");
    else {
      for (const [key, value] of Object.entries(map)) {
        if (/^[A-Z]\w*(\/|$)/.test(key)) {
          fail(
            `${property}["${key}"]`,
            "is an object of Stalwart 0.16 and later; accepts keys of the 0.15 line, such as queue.route.smarthost.port",
          );
        } else if (typeof value !== "string")
          fail(`${property}["${key}"]`, 'accepts a text, such as "587" or "true"');
        else if (/^\*{4,}$/.test(value)) {
          fail(
            `${property}["${key}"]`,
            "is what an API shows in the place of a secret (****), and would overwrite the real one; accepts the real value, or for a secret the file that holds it: %{file:/etc/stalwart/secrets/relay}%",
          );
        }
      }
    }
  }
  checkWithoutGuards(inputs.withoutGuards, fail);
  if (isMap(inputs.settings) && !leavesOut(inputs, 14)) checkRouting(inputs.settings, fail);
  if (isMap(inputs.settings)) {
    for (const key of Object.keys(inputs.settings).filter((k) => /\.(secret|password)$/.test(k))) {
      fail(
        `settings["${key}"]`,
        "is a secret, which belongs into a file of the container; accepts its name in config.toml alone: %{file:/etc/stalwart/secrets/relay}%",
      );
    }
  }
  if (
    inputs.domains !== UNKNOWN &&
    !(Array.isArray(inputs.domains) && inputs.domains.every((d) => typeof d === "string"))
  ) {
    fail("domains", "accepts a list of domains, such as example.org");
  }
  checkAccounts(inputs.accounts, fail);
  checkAdmin(inputs.admin, inputs, fail);
  checkGroups(inputs.groups, inputs.accounts, fail);
  checkLists(inputs.lists, fail);
  for (const property of Object.keys(inputs)) {
    if (
      ![
        "target",
        "settings",
        "fileSettings",
        "domains",
        "accounts",
        "groups",
        "lists",
        "admin",
        "deploying",
        "withoutGuards",
      ].includes(property)
    ) {
      fail(
        property,
        "is no property of this resource; accepts target, settings, fileSettings, domains, accounts, groups, lists and admin",
      );
    }
  }
  return failures;
}

/** A strategy that names no declared route sends mail straight to the MX, silently (lesson 14). */
function checkRouting(settings: Json, fail: Fail): void {
  const routes = new Set(["local", "mx"]);
  for (const key of Object.keys(settings)) {
    const route = /^queue\.route\.([^.]+)\.type$/.exec(key)?.[1];
    if (route) routes.add(route);
  }
  for (const [key, value] of Object.entries(settings)) {
    if (
      !/^queue\.strategy\.route(\.\d+\.(then|else))?$/.test(key) ||
      typeof value !== "string" ||
      value === UNKNOWN
    )
      continue;
    const name = /^'(.*)'$/.exec(value)?.[1];
    if (name === undefined || !routes.has(name)) {
      fail(
        `settings["${key}"]`,
        `names the route ${value}, which is not declared: Stalwart would silently deliver straight to the MX (lesson 14); accepts ${[...routes].map((r) => `'${r}'`).join(", ")}`,
      );
    }
  }
}

/** Of the 0.15 line: the registry has lists among its rows. */
function checkLists(lists: unknown, fail: Fail): void {
  if (lists === UNKNOWN) return;
  if (!isMap(lists)) return fail("lists", "accepts a map of addresses to lists of recipients");
  for (const [address, recipients] of Object.entries(lists))
    if (!isListOf(recipients)) fail(`lists["${address}"]`, "accepts a list with at least one e-mail address");
}
