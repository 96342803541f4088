/** Which way mail for elsewhere goes in the registry, and where a probe of it can be handed in. */
import type { RegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import {
  type DeclaredRoute,
  isForLocalDomains,
  nameIn,
  type Submission,
  submissionAmong,
} from "../server/routing.ts";

type Json = Record<string, unknown>;

/**
 * True for a row that says where mail goes.
 * @example rowConcernsRouting("MtaRoute/smarthost") === true
 */
export const rowConcernsRouting = (key: string): boolean => /^(MtaRoute\/|MtaOutboundStrategy$)/.test(key);

/**
 * Routes that mail for elsewhere may take.
 * @example registryRoutesOf(toRegistryObjects(settings))
 */
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

/**
 * Where the server can be handed mail, implicit TLS first; undefined when it has no listener for
 * it.
 */
export function registrySubmissionOf(objects: RegistryObjects): Submission | undefined {
  const listeners = Object.entries(objects)
    .filter(([key, row]) => key.startsWith("NetworkListener/") && row["protocol"] === "smtp")
    .flatMap(([, row]) =>
      Object.keys((row["bind"] ?? {}) as Json).map((bind) => ({ bind, tls: row["tlsImplicit"] === true })),
    );
  return submissionAmong(listeners);
}
