/** Which way mail for elsewhere is declared to go, in either generation's words, and where a probe of it can be handed in. */
import type { SettingKeys } from "../lib/settings/keys.ts";
import type { RegistryObjects } from "../lib/settings/registry.ts";

type Json = Record<string, unknown>;

/** A route by its name, and whom it hands mail to. */
export type DeclaredRoute =
  { name: string; to: "relay"; host: string; port: number } | { name: string; to: "mx" | "local" };

/** A listener that takes mail, as seen from inside the container. */
export interface Submission {
  /** Address; no brackets. */
  host: string;
  port: number;
  /** TLS from the first byte; STARTTLS otherwise. */
  implicitTls: boolean;
}

/** True for a key that says where mail goes. @example concernsRouting("queue.route.smarthost.port") === true */
export const concernsRouting = (key: string): boolean => /^queue\.(route\.|strategy\.route(\.|$))/.test(key);

/** True for a row that says where mail goes. @example rowConcernsRouting("MtaRoute/smarthost") === true */
export const rowConcernsRouting = (key: string): boolean => /^(MtaRoute\/|MtaOutboundStrategy$)/.test(key);

/** Whether two declarations send mail different ways: what a deploy that was cut off may have left undone. */
export function routingDiffers(a: SettingKeys, b: SettingKeys): boolean {
  return Object.keys({ ...a, ...b }).some((key) => concernsRouting(key) && a[key] !== b[key]);
}

/** A route's name in an expression such as `'smarthost'`. */
const nameIn = (expression: unknown): string | undefined => /^'(.*)'$/.exec(String(expression))?.[1];

/** A rule for domains of one's own says nothing about mail for elsewhere. */
const isForLocalDomains = (condition: unknown): boolean => String(condition).includes("is_local_domain");

/** Routes that mail for elsewhere may take. @example routesOf(toSettingKeys(settings)) // [{ name: "smarthost", to: "relay", … }] */
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

/** The same for the registry. @example registryRoutesOf(toRegistryObjects(settings)) */
export function registryRoutesOf(objects: RegistryObjects): DeclaredRoute[] {
  const strategy = (objects["MtaOutboundStrategy"]?.["route"] ?? {}) as Json;
  const rules = Object.values((strategy["match"] ?? {}) as Record<string, Json>);
  const names = [
    ...rules.filter((rule) => !isForLocalDomains(rule["if"])).map((rule) => rule["then"]),
    strategy["else"],
  ].flatMap((expression) => nameIn(expression) ?? []);
  return [...new Set(names)].map((name) => {
    const row = objects[`MtaRoute/${name}`];
    if (row?.["@type"] !== "Relay") return { name, to: name === "local" ? "local" : "mx" };
    return { name, to: "relay", host: String(row["address"]), port: Number(row["port"] ?? 25) };
  });
}

/** Where the server can be handed mail, implicit TLS first; undefined when it has no listener for it. */
export function submissionOf(fileSettings: SettingKeys): Submission | undefined {
  const listeners = Object.keys(fileSettings).flatMap((key) => {
    const id = /^(server\.listener\.[^.]+)\.protocol$/.exec(key)?.[1];
    if (id === undefined || fileSettings[key] !== "smtp") return [];
    return [{ bind: fileSettings[`${id}.bind`] ?? "", tls: fileSettings[`${id}.tls.implicit`] === "true" }];
  });
  return best(listeners);
}

/** The same for the registry. */
export function registrySubmissionOf(objects: RegistryObjects): Submission | undefined {
  const listeners = Object.entries(objects)
    .filter(([key, row]) => key.startsWith("NetworkListener/") && row["protocol"] === "smtp")
    .flatMap(([, row]) =>
      Object.keys((row["bind"] ?? {}) as Json).map((bind) => ({ bind, tls: row["tlsImplicit"] === true })),
    );
  return best(listeners);
}

function best(listeners: { bind: string; tls: boolean }[]): Submission | undefined {
  const found = listeners.flatMap(({ bind, tls }) => {
    const [, host = "", port = ""] = /^\[?([^\]]*)\]?:(\d+)$/.exec(bind) ?? [];
    if (port === "") return [];
    const loopback = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
    return [{ host: loopback, port: Number(port), implicitTls: tls }];
  });
  return found.find(({ implicitTls }) => implicitTls) ?? found[0];
}
