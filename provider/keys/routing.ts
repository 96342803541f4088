/**
 * Which way mail for elsewhere goes in the keys of the 0.15 line, and where a probe of it can be
 * handed in.
 */
import type { SettingKeys } from "../../lib/desired-state/keys/keys.ts";
import {
  type DeclaredRoute,
  isForLocalDomains,
  nameIn,
  type Submission,
  submissionAmong,
} from "../server/routing.ts";

/**
 * True for a key that says where mail goes.
 * @example concernsRouting("queue.route.smarthost.port") === true
 */
export const concernsRouting = (key: string): boolean => /^queue\.(route\.|strategy\.route(\.|$))/.test(key);

/**
 * Whether two declarations send mail different ways: what a deploy that was cut off may have left
 * undone.
 */
export function routingDiffers(a: SettingKeys, b: SettingKeys): boolean {
  return Object.keys({ ...a, ...b }).some((key) => concernsRouting(key) && a[key] !== b[key]);
}

/**
 * Routes that mail for elsewhere may take.
 * @example routesOf(toSettingKeys(settings)) // [{ name: "smarthost", to: "relay", … }]
 */
export function routesOf(settings: SettingKeys): DeclaredRoute[] {
  const names = Object.keys(settings)
    .filter((key) => /^queue\.strategy\.route(\.\d+\.(then|else))?$/.test(key))
    .filter((key) => !isForLocalDomains(settings[key.replace(/\.then$/, ".if")]))
    .flatMap((key) => nameIn(settings[key]) ?? []);
  return [...new Set(names)].map((name) => {
    const id = `queue.route.${name}`;
    if (settings[`${id}.type`] !== "relay") return { name, to: name === "local" ? "local" : "mx" };
    const host = settings[`${id}.address`] ?? "";
    return { name, to: "relay", host, port: Number(settings[`${id}.port`] ?? 25) };
  });
}

/**
 * Where the server can be handed mail, implicit TLS first; undefined when it has no listener for
 * it.
 */
export function submissionOf(fileSettings: SettingKeys): Submission | undefined {
  const listeners = Object.keys(fileSettings).flatMap((key) => {
    const id = /^(server\.listener\.[^.]+)\.protocol$/.exec(key)?.[1];
    if (id === undefined || fileSettings[key] !== "smtp") return [];
    return [{ bind: fileSettings[`${id}.bind`] ?? "", tls: fileSettings[`${id}.tls.implicit`] === "true" }];
  });
  return submissionAmong(listeners);
}
