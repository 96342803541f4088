import { at, merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import { definePolicy, type Judgement, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { formatPath, listAt, read, readAt, UNKNOWN_AT_PREVIEW, walk } from "../framework/values.ts";
import { decodeText } from "../facts/decoded-texts.ts";
import { CONTAINER, VOLUME } from "../facts/docker/containers.ts";
import { uploadsOf } from "../facts/docker/uploads.ts";
import { SETTINGS_TYPES } from "../facts/own-resources.ts";
import {
  isCommand,
  makesLive,
  ROUTING,
  scriptsOf,
  writesRoutes,
  type Script,
} from "../facts/stalwart/route-scripts.ts";

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

/**
 * True for a resource that is run again or replaced when the command's input changes: by what it is
 * made of, or by a trigger that is the command's own, or the very routes. (A trigger as short as a
 * counter is no sign of the same change.)
 */
function follows(resource: PolicyResource, writer: PolicyResource): boolean {
  if (comesFrom(resource, writer)) return true;
  if (!isCommand(resource)) return false;
  const routes = textsAt(writer, ["create", "stdin", "environment"]).filter((text) => ROUTING.test(text));
  const causes = [...routes, ...textsAt(writer, ["triggers"]).filter((trigger) => trigger.length >= 8)];
  return textsAt(resource, ["triggers"]).some((trigger) => causes.includes(trigger));
}

/** "maybe" where what is unknown of it could be the restart. */
function restarts(follower: PolicyResource, generation: "keys" | "registry"): "yes" | "no" | "maybe" {
  if (follower.type === CONTAINER) return "yes";
  if (!isCommand(follower)) return "no";
  const scripts = scriptsOf(follower);
  if (scripts.length > 0 && scripts.every((script) => makesLive(script, generation))) return "yes";
  return scripts.some(({ gaps }) => gaps.length > 0) ? "maybe" : "no";
}

const RELOADS = {
  keys: "a GET of /api/reload or a restart of the container",
  registry: "a restart of the container",
};
const LEFT_OUT = { keys: "", registry: " (ReloadSettings may be refused, and then leaves all as it is)" };

/** Undefined for a script that writes no route. */
function judgeScript(
  script: Script,
  writer: PolicyResource,
  resources: readonly PolicyResource[],
): Judgement | undefined {
  const generation = writesRoutes(script);
  if (generation === "no") return undefined;
  const open = (where: string) =>
    unjudged({
      where,
      because: "whether it writes routes and restarts Stalwart is unknown until the update",
    });
  if (makesLive(script, generation === "registry" ? "registry" : "keys")) return PASS;
  const kind = generation === "maybe" ? "registry" : generation;
  const answers = resources.filter((resource) => follows(resource, writer)).map((one) => restarts(one, kind));
  if (answers.includes("yes")) return PASS;
  if (script.gaps[0] !== undefined) return open(script.gaps[0]);
  if (answers.includes("maybe")) return open(script.phase);
  const what = `writes routes, and nothing restarts Stalwart when they change${LEFT_OUT[kind]}`;
  const instead = `${RELOADS[kind]} at the end of the same script, or in a command whose triggers come from this one; or tailwart's settings resource, which does it by itself`;
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
  const judged = uploadsOf(carrier).uploads.map(({ path, file, text, unread }) => {
    if (file === undefined) return undefined;
    const place = `${formatPath([...path, "content"])} (${file})`;
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
  const judged = resources.flatMap((resource) => {
    const { type, urn } = resource;
    if (SETTINGS_TYPES.includes(type)) return PASS;
    const parts =
      type === CONTAINER
        ? [judgeUploads(resource, resources)]
        : isCommand(resource)
          ? scriptsOf(resource).map((script) => judgeScript(script, resource, resources))
          : [];
    return parts.filter((part) => part !== undefined).map((part) => at(urn, part));
  });
  return judged.length > 0 ? merge(...judged) : { notApplicable: "nothing in the stack sets a route" };
}
