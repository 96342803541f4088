/**
 * Input checks of `tailwart:mail:Registry`, for programs that use the resource by itself; see
 * ../check.ts.
 */
import type { Failure } from "../plugin/served-resource.ts";
import { UNKNOWN } from "../plugin/diff.ts";
import {
  checkAccounts,
  checkAdmin,
  checkGroups,
  checkTarget,
  checkWithoutGuards,
  isMap,
  leavesOut,
} from "../server/check.ts";
import { LABELS } from "../../lib/desired-state/registry/objects.ts";
import { referencesIn } from "./references.ts";

type Json = Record<string, unknown>;

const PROPERTIES = [
  "target",
  "objects",
  "accounts",
  "groups",
  "admin",
  "deploying",
  "takeOver",
  "withoutGuards",
];

/** Everything that is wrong with the inputs; [] when nothing is. Never repeats a value. */
export function checkRegistryInputs(inputs: Json): Failure[] {
  const failures: Failure[] = [];
  const fail = (property: string, reason: string) => void failures.push({ property, reason });
  checkTarget(inputs["target"], fail);
  checkAccounts(inputs["accounts"] ?? {}, fail);
  checkGroups(inputs["groups"], inputs["accounts"], fail);
  checkAdmin(inputs["admin"], inputs, fail);
  checkWithoutGuards(inputs["withoutGuards"], fail);
  const { objects, takeOver } = inputs;
  if (![undefined, true, false, UNKNOWN].includes(takeOver as boolean | undefined))
    fail("takeOver", "accepts true or false");
  for (const property of Object.keys(inputs)) {
    if (!PROPERTIES.includes(property))
      fail(
        property,
        "is no property of this resource; accepts target, objects, accounts, groups, admin and takeOver",
      );
  }
  if (objects === UNKNOWN) return failures;
  if (!isMap(objects)) return [...failures, { property: "objects", reason: "accepts a map of objects" }];
  for (const [key, properties] of Object.entries(objects)) {
    checkObject(key, properties, fail);
    for (const named of referencesIn(properties)) {
      if (!(named in objects))
        fail(`objects["${key}"]`, `names ${named}, which is not declared; declare it too`);
    }
  }
  if (!leavesOut(inputs, 14)) checkRouting(objects, fail);
  return failures;
}

type Fail = (property: string, reason: string) => void;

function checkObject(key: string, properties: unknown, fail: Fail): void {
  const path = `objects["${key}"]`;
  const [object = "", ...label] = key.split("/");
  const labelled = LABELS[object];
  if (properties === UNKNOWN) return;
  if (!/^[A-Z]/.test(key))
    return fail(
      path,
      'is a key of Stalwart\'s 0.15 line; accepts an object of 0.16 and later, such as "MtaRoute/smarthost"',
    );
  if (!isMap(properties)) return fail(path, "accepts a map of properties");
  if (labelled === undefined && label.length > 0) fail(path, `is no row: ${object} is a singleton`);
  if (object === "DkimSignature") {
    if (properties["selector"] !== label.join("/").split("._domainkey.")[0])
      fail(path, "has another selector than its key says");
  } else if (object === "MailingList") {
    if ("emailAddress" in properties) fail(path, "has emailAddress, which the server puts together itself");
  } else if (
    labelled !== undefined &&
    properties[labelled] !== label.join("/") &&
    properties[labelled] !== UNKNOWN
  )
    fail(path, `has another ${labelled} than its key says`);
  visit(properties, path, fail);
}

function visit(value: unknown, path: string, fail: Fail): void {
  if (Array.isArray(value))
    return fail(path, 'is a list; the registry accepts a set as { "member": true } and a list as { "0": … }');
  if (typeof value === "string" && /^\*{4,}$/.test(value))
    return fail(
      path,
      'is what the API shows in the place of a secret (****), and would overwrite the real one; accepts { "@type": "File", "filePath": "/etc/stalwart/secrets/relay" }',
    );
  if (!isMap(value)) return;
  if (value["@type"] === "Value" && "secret" in value)
    fail(
      path,
      'holds a secret, which belongs into a file of the container; accepts { "@type": "File", "filePath": "/etc/stalwart/secrets/relay" }',
    );
  for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`, fail);
}

/** A strategy that names no declared route sends mail straight to the MX, silently (lesson 14). */
function checkRouting(objects: Json, fail: Fail): void {
  const strategy = objects["MtaOutboundStrategy"];
  if (!isMap(strategy) || !isMap(strategy["route"])) return;
  const routes = new Set(["local", "mx"]);
  for (const key of Object.keys(objects))
    if (key.startsWith("MtaRoute/")) routes.add(key.slice("MtaRoute/".length));
  const { match, else: otherwise } = strategy["route"];
  const rules = isMap(match) ? Object.entries(match) : [];
  const places: [string, unknown][] = [
    ...rules.map(([i, rule]): [string, unknown] => [
      `match.${i}.then`,
      isMap(rule) ? rule["then"] : undefined,
    ]),
    ["else", otherwise],
  ];
  for (const [place, value] of places) {
    const name = /^'(.*)'$/.exec(String(value))?.[1];
    if (value !== UNKNOWN && (name === undefined || !routes.has(name))) {
      fail(
        `objects["MtaOutboundStrategy"].route.${place}`,
        `names a route that is not declared: Stalwart would silently deliver straight to the MX (lesson 14); accepts ${[...routes].map((r) => `'${r}'`).join(", ")}`,
      );
    }
  }
}
