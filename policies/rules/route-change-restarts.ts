import { createHash } from "node:crypto";
import { at, merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { listAt, read, readAt, readString, UNKNOWN_AT_PREVIEW, walk } from "../framework/values.ts";
import { decodeText } from "../facts/decoded-texts.ts";
import { CONTAINER, VOLUME } from "../facts/docker/containers.ts";
import { uploadsOf } from "../facts/docker/uploads.ts";
import { SETTINGS_TYPES } from "../facts/own-resources.ts";
import { isCommand, scriptsOf, type Script } from "../facts/command-scripts.ts";
import { effectOf } from "../facts/stalwart/route-scripts.ts";
import { ROUTING } from "../facts/stalwart/route-writes.ts";
import type { Containers } from "../facts/stalwart/server-restarts.ts";

/**
 * What counts as "something restarts Stalwart on its change":
 *
 * - tailwart's settings resource does so by itself, in both generations: its provider writes,
 *   reloads (on both lines a reload was seen to rebuild the routes), reads back and probes. Having
 *   the resource is keeping the rule.
 * - A script that writes routes past it must reload or restart after its last write; or another
 *   must that runs again for the same change. For the registry only a restart counts: a reload
 *   there takes all settings or none, and a script rarely reads its answer.
 * - A config file in an upload is read at start only. A changed upload replaces its own container;
 *   a container that merely carries the file into a volume must therefore replace the server too.
 */
export const routeChangeRestarts = definePolicy({
  id: "route-change-restarts",
  description: "Whatever changes a route or a strategy of Stalwart also makes it live.",
  severity: "medium",
  lesson: 12,
  enforcementLevel: "mandatory",
  remediation:
    "Let tailwart's settings resource carry routes, or end each script that writes them with a restart of Stalwart.",
  url: "https://stalw.art/docs/0.15/mta/outbound/routing",
  why: "a written route is stored but not used: the table of routes is built at start or at a reload, and until then mail takes the old way",
  portable: false,
  judgeStack,
});

const comesFrom = (resource: PolicyResource, source: PolicyResource): boolean =>
  Object.values(resource.propertyDependencies ?? {}).some((sources) =>
    sources.some(({ urn }) => urn === source.urn),
  );

const textsAt = ({ props }: PolicyResource, inputs: readonly string[]): string[] =>
  inputs
    .map((input) => read(props, input))
    .flatMap((input) => (input.known ? walk([input.value]).leaves : []))
    .map(({ value }) => String(value));

/** What changes with a text: whatever holds it, also as JSON, and its checksums. */
function changesWith(trigger: string, text: string): boolean {
  const checksums = ["sha256", "sha1", "md5"].flatMap((kind) =>
    (["hex", "base64"] as const).map((form) => createHash(kind).update(text).digest(form)),
  );
  return [text, JSON.stringify(text).slice(1, -1), ...checksums].some((form) => trigger.includes(form));
}

/**
 * True for a resource that is run again or replaced when the command's input changes: by what it is
 * made of, or by a trigger that is the command's own, or holds the very routes. (A trigger as short
 * as a counter is no sign of the same change.)
 */
function follows(resource: PolicyResource, writer: PolicyResource): boolean {
  if (comesFrom(resource, writer)) return true;
  if (!isCommand(resource)) return false;
  const routes = textsAt(writer, ["create", "stdin", "environment"]).filter((text) => ROUTING.test(text));
  const own = textsAt(writer, ["triggers"]).filter((trigger) => trigger.length >= 8);
  return textsAt(resource, ["triggers"]).some(
    (trigger) => own.includes(trigger) || routes.some((text) => changesWith(trigger, text)),
  );
}

/** "maybe" where what is unknown of it could be the restart. */
function restarts(
  follower: PolicyResource,
  api: "keys" | "registry",
  containers: Containers,
): "yes" | "no" | "maybe" {
  if (follower.type === CONTAINER) return "yes";
  if (!isCommand(follower)) return "no";
  const scripts = scriptsOf(follower);
  const answers = scripts.map((script) => effectOf(script, containers).live(api));
  if (answers.length > 0 && answers.every((answer) => answer === "yes")) return "yes";
  return answers.includes("maybe") || scripts.some(({ gaps }) => gaps.length > 0) ? "maybe" : "no";
}

/** The stack's containers by name, as far as images tell which are Stalwart's. */
function containersOf(resources: readonly PolicyResource[]): Containers {
  const servers = new Set<string>();
  const others = new Set<string>();
  for (const { type, props } of resources) {
    const name = readString(props, ["name"]).value;
    const image = readString(props, ["image"]).value;
    if (type !== CONTAINER || name === undefined || image === undefined) continue;
    (/stalwart/i.test(image) ? servers : others).add(name);
  }
  return { servers, others };
}

const RELOADS = {
  keys: "a GET of /api/reload or a restart of the container",
  registry: "a restart of the container",
};
const LEFT_OUT = { keys: "", registry: " (ReloadSettings may be refused, and then leaves all as it is)" };

const UNSURE = "whether it writes routes and restarts Stalwart is unknown until the update";
const UNREAD = "what it runs or sends is only known when it runs, and may set routes without a restart";

/** Undefined for a script that writes no route. */
function judgeScript(
  script: Script,
  writer: PolicyResource,
  resources: readonly PolicyResource[],
  containers: Containers,
): Judgement | undefined {
  const { writes, live } = effectOf(script, containers);
  if (writes === "no") return undefined;
  const api = writes === "maybe" ? "registry" : writes;
  const answers = [
    live(api),
    ...resources.filter((one) => follows(one, writer)).map((one) => restarts(one, api, containers)),
  ];
  if (answers.includes("yes")) return PASS;
  if (script.gaps[0] !== undefined) return unjudged({ where: script.gaps[0], because: UNSURE });
  if (writes === "maybe" || answers.includes("maybe"))
    return unjudged({ where: script.phase, because: answers.slice(1).includes("maybe") ? UNSURE : UNREAD });
  const what = `writes routes, and nothing restarts Stalwart when they change${LEFT_OUT[api]}`;
  const instead = `${RELOADS[api]} at the end of the same script, or in a command whose triggers come from this one; or tailwart's settings resource, which does it by itself`;
  return refuse({ where: script.phase, what, instead });
}

/** Where an upload holds a route or a strategy, if it does. */
function routingIn(where: string, text: string): string | undefined {
  if (!/queue|Mta(?:Route|Outbound)/.test(text)) return undefined;
  const piece = decodeText(where, "", text).find(
    (one) => / queue\.(?:route|strategy)\b/.test(one.where) || ROUTING.test(one.text),
  );
  return piece?.where;
}

/** Volumes and shared folders by name, or by resource; with a file, those that it is in. */
function volumesOf({ props, propertyDependencies }: PolicyResource, file?: string): Set<unknown> {
  const found = new Set<unknown>();
  const sources = (propertyDependencies?.["volumes"] ?? []).filter(({ type }) => type === VOLUME);
  if (file === undefined) for (const { urn } of sources) found.add(urn);
  for (const { path } of listAt(props, ["volumes"]).entries) {
    const folder = readAt(props, [...path, "containerPath"]);
    const name = readAt(props, [...path, "volumeName"]);
    if (file !== undefined && !(folder.known && file.startsWith(`${String(folder.value)}/`))) continue;
    const host = readAt(props, [...path, "hostPath"]);
    if (!name.known) for (const { urn } of sources) found.add(urn);
    else if (name.value) found.add(name.value);
    else if (host.known && host.value) found.add(host.value);
  }
  return found;
}

/** False for a container that only carries files. */
const runs = ({ props }: PolicyResource): boolean =>
  ["start", "mustRun"]
    .map((input) => read(props, input))
    .every((input) => !input.known || input.value !== false);

/** A file with routes in a container that only carries it: another one mounts the volume. */
function judgeUploads(carrier: PolicyResource, resources: readonly PolicyResource[]): Judgement | undefined {
  const judged = uploadsOf(carrier).uploads.map(({ where: place, file, text, unread }) => {
    if (file === undefined) return undefined;
    const where = unread ? (/\.toml$/.test(file) ? place : undefined) : routingIn(place, text ?? "");
    if (where === undefined) return undefined;
    const concerned = unread ? undefined : PASS;
    // An upload cannot be changed in place: a changed one replaces its own container.
    if (runs(carrier)) return concerned;
    const volumes = volumesOf(carrier, file);
    const servers = resources.filter(
      (one) =>
        one.type === CONTAINER &&
        one.urn !== carrier.urn &&
        [...volumesOf(one)].some((own) => volumes.has(own)),
    );
    if (servers.length === 0 || servers.some((server) => comesFrom(server, carrier))) return concerned;
    if (unread) return unjudged({ where, because: unread === "local" ? LOCAL_FILE : UNKNOWN_AT_PREVIEW });
    return refuse({ where, what: STALE_FILE, instead: NEW_SERVER });
  });
  const parts = judged.filter((part) => part !== undefined);
  return parts.length > 0 ? merge(...parts) : undefined;
}

const LOCAL_FILE = "a local file, which is only read at deploy";
const STALE_FILE = "holds routes, and the server that mounts the volume is not made anew when they change";
const NEW_SERVER = "a label of the server's container with the id of this one, which changes with its files";

function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const containers = containersOf(resources);
  const judged = resources.flatMap((resource) => {
    const { type, urn } = resource;
    if (SETTINGS_TYPES.includes(type)) return PASS;
    const parts =
      type === CONTAINER
        ? [judgeUploads(resource, resources)]
        : isCommand(resource)
          ? scriptsOf(resource).map((script) => judgeScript(script, resource, resources, containers))
          : [];
    return parts.filter((part) => part !== undefined).map((part) => at(urn, part));
  });
  return judged.length > 0 ? merge(...judged) : { notApplicable: "nothing in the stack sets a route" };
}
