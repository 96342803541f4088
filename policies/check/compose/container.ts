import { below, emptyMapping, entriesOf, itemsOf, textOf, type Located, type Mapping } from "../located.ts";
import type { Repository } from "../repository.ts";
import { UNKNOWN, urnOf, type Gap, type Source } from "../resource.ts";
import { addEnvironment } from "./environment.ts";
import { bothOf, Inputs, knownText, placeOf } from "./inputs.ts";
import { asMapping } from "./merge.ts";
import { addMounts } from "./mounts.ts";
import { addNetwork, joinedService } from "./network.ts";
import type { Project } from "./project.ts";
import type { Role } from "./roles.ts";

const CONTAINER = "docker:index/container:Container";

/** Inputs that are one plain value, and the service's keys for them. */
const PLAIN = {
  user: "user",
  privileged: "privileged",
  pidMode: "pid",
  ipcMode: "ipc",
  usernsMode: "userns_mode",
  workingDir: "working_dir",
  readOnly: "read_only",
  init: "init",
  runtime: "runtime",
} as const;
/** What the inputs are called that a rule may miss. */
const KEYS = {
  envs: "environment",
  healthcheck: "healthcheck",
  "healthcheck.tests": "healthcheck.test",
  image: "image",
  labels: "labels",
  networkMode: "network_mode",
  ports: "ports",
  restart: "restart",
  user: "user",
  volumes: "volumes",
} as const;
const LISTS = { securityOpts: "security_opt", groupAdds: "group_add" } as const;

export const containerUrn = (project: Project, service: string): string =>
  urnOf(project.name, CONTAINER, service);

/** A service as the container that Compose makes of it. */
export function containerOf(
  name: string,
  service: Mapping,
  role: Role | undefined,
  project: Project,
  repository: Repository,
): { readonly source: Source; readonly gaps: readonly Gap[] } {
  const shown = `services.${name}`;
  const inputs = new Inputs(shown);
  const at = { ...service.at, shown };
  const get = (key: string): Located | undefined => service.entries.get(key);

  inputs.set("name", { value: knownText(get("container_name")) ?? name }, at);
  addImage(inputs, get("image"));
  addCommands(inputs, get("command"), "command", "command");
  addCommands(inputs, get("entrypoint"), "entrypoints", "entrypoint");
  for (const [input, key] of Object.entries(PLAIN)) inputs.scalar(input, get(key), key);
  for (const [input, key] of Object.entries(LISTS)) inputs.list(input, get(key), key);
  addRestart(inputs, service);
  addCapabilities(inputs, service);
  addDevices(inputs, get("devices"));
  addHealthcheck(inputs, get("healthcheck"));
  const gaps = [
    ...addEnvironment(service, inputs, project, repository),
    ...addMounts(service, inputs, project, repository),
  ];
  addNetwork(service, inputs);
  if (!get("networks") && !get("network_mode") && project.networks.has("default"))
    inputs.push("networksAdvanced", { value: { name: "default" } }, at);
  const labels = asMapping(get("labels") ?? emptyMapping(service.at));
  for (const { key, at: line, node } of entriesOf(labels)) {
    const { value, written } = node.kind === "scalar" ? node : { value: "", written: undefined };
    const label = { label: key, value: String(value ?? "") };
    inputs.push(
      "labels",
      { value: label, written: { ...label, value: written ?? label.value } },
      { ...line, shown: inputs.shown(`labels.${key}`) },
    );
  }
  if (role && !labels.entries.has("tailwart.role"))
    inputs.push("labels", { value: { label: "tailwart.role", value: role } }, at);

  for (const [input, key] of Object.entries(KEYS))
    if (!inputs.places.has(input)) inputs.places.set(input, { ...at, shown: inputs.shown(key) });

  const joined = joinedService(service);
  const { image: _, ...withoutImage } = inputs.inputs;
  const source: Source = {
    type: CONTAINER,
    name,
    urn: containerUrn(project, name),
    inputs: inputs.inputs,
    written: inputs.written,
    // An image that is built here has no digest before it is.
    ...(get("build") && { forPolicy: { "image-pinned-by-digest": withoutImage } }),
    // Compose deletes no container's data by itself.
    protect: true,
    ...(joined !== undefined &&
      project.services.has(joined) && { dependencies: { networkMode: [containerUrn(project, joined)] } }),
    at,
    places: inputs.places,
  };
  return { source, gaps };
}

/** Docker takes an image without a tag for `latest`. */
function addImage(inputs: Inputs, image: Located | undefined): void {
  const text = textOf(image);
  if (!image || text === undefined) return;
  const { value } = bothOf(image);
  const isBare = value !== UNKNOWN && !/@|:[^/]+$/.test(text);
  inputs.set("image", { value: isBare ? `${text}:latest` : value }, placeOf(image, inputs.shown("image")));
}

/** A command is a list, or a text that is split as a shell does. */
function addCommands(inputs: Inputs, node: Located | undefined, input: string, key: string): void {
  if (node?.kind !== "scalar" || node.unset) return inputs.list(input, node, key);
  const [words, written] = [node.value, node.written ?? node.value].map((text) =>
    text === null
      ? []
      : [...String(text).matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
          word.replace(/^(["'])(.*)\1$/s, "$2"),
        ),
  );
  for (const [index, word] of (words ?? []).entries())
    inputs.push(input, { value: word, written: written?.[index] ?? "" }, placeOf(node, inputs.shown(key)));
}

/** Compose starts no container again unless it is told to. */
function addRestart(inputs: Inputs, service: Mapping): void {
  const restart = service.entries.get("restart");
  if (restart) return inputs.scalar("restart", restart, "restart");
  const policy = below(service, "deploy", "restart_policy");
  const condition = textOf(below(policy, "condition")) ?? "any";
  const shown = inputs.shown(policy ? "deploy.restart_policy" : "restart");
  const value = !policy ? "no" : condition === "any" ? "always" : condition === "none" ? "no" : "on-failure";
  inputs.set("restart", { value }, placeOf(policy ?? service, shown));
}

function addCapabilities(inputs: Inputs, service: Mapping): void {
  const capabilities: Record<string, unknown[]> = {};
  for (const [input, key] of [
    ["adds", "cap_add"],
    ["drops", "cap_drop"],
  ] as const) {
    const items = itemsOf(service.entries.get(key));
    if (items.length === 0) continue;
    // What is no text is none of Compose's, and a list takes no hole.
    capabilities[input] = items.map((item) => bothOf(item).value ?? "");
    for (const [index, item] of items.entries())
      inputs.places.set(`capabilities.${input}[${index}]`, placeOf(item, inputs.shown(`${key}[${index}]`)));
  }
  if (Object.keys(capabilities).length > 0)
    inputs.set("capabilities", { value: capabilities }, { ...service.at, shown: inputs.shown("cap_add") });
}

function addDevices(inputs: Inputs, devices: Located | undefined): void {
  for (const [index, item] of itemsOf(devices).entries()) {
    const [hostPath = "", containerPath = hostPath, permissions = "rwm"] =
      item.kind === "mapping"
        ? ["source", "target", "permissions"].map((key) => textOf(below(item, key)))
        : (textOf(item) ?? "").split(":");
    const value = item.kind === "scalar" && item.unset ? UNKNOWN : { hostPath, containerPath, permissions };
    inputs.push("devices", { value }, placeOf(item, inputs.shown(`devices[${index}]`)));
  }
}

function addHealthcheck(inputs: Inputs, healthcheck: Located | undefined): void {
  if (healthcheck?.kind !== "mapping") return;
  const test = below(healthcheck, "test");
  const isOff = textOf(below(healthcheck, "disable")) === "true";
  const place = placeOf(test ?? healthcheck, inputs.shown("healthcheck.test"));
  const items = itemsOf(test).map((item) => bothOf(item).value);
  const isText = test?.kind === "scalar";
  const tests = isOff ? ["NONE"] : isText ? ["CMD-SHELL", ...items] : items;
  inputs.set("healthcheck", { value: { tests } }, { ...place, shown: inputs.shown("healthcheck") });
  inputs.places.set("healthcheck.tests", place);
}
