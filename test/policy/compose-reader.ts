import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parse } from "yaml";
import type { TestResource } from "./harness.ts";

/**
 * Reads a compose file of the corpus into the resources that Pulumi's Docker provider would have
 * for it: what the policies judge of a stack hangs on no way of writing it. It knows what the
 * corpus uses, and no more.
 */
export function readCompose(file: string): TestResource[] {
  const dir = dirname(file);
  const values = variablesOf(join(dir, ".env"));
  const compose = load(file, values);
  const services = Object.entries(record(compose["services"]));
  const policyFile = join(dir, "policy.hujson");
  return [
    ...Object.keys(record(compose["networks"])).map((name) => resource("network:Network", name, { name })),
    ...Object.keys(record(compose["volumes"])).map((name) => resource("volume:Volume", name, { name })),
    ...services.map(([name, service]) =>
      resource(
        "container:Container",
        name,
        containerOf(name, extended(record(service), dir, values), { dir, compose }),
      ),
    ),
    ...(existsSync(policyFile)
      ? [
          {
            type: "tailscale:index/acl:Acl",
            name: "policy",
            props: { acl: readFileSync(policyFile, "utf8") },
            protect: true,
          },
        ]
      : []),
  ];
}

type Json = Record<string, unknown>;
interface Project {
  readonly dir: string;
  readonly compose: Json;
}

const resource = (type: string, name: string, props: object): TestResource => ({
  type: `docker:index/${type}`,
  name,
  props,
});
const record = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const list = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];
/** `a: b` and `- a=b` mean the same, of variables as of labels. */
const pairs = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.map(String)
    : Object.entries(record(value)).map(([name, text]) => `${name}=${String(text ?? "")}`);

const variablesOf = (file: string): ReadonlyMap<string, string> =>
  new Map(
    (existsSync(file) ? readFileSync(file, "utf8") : "")
      .split("\n")
      .filter((line) => /^\w+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

/** `$$` is a dollar; a variable without a value stays as it is written: whoever deploys has it. */
function load(file: string, values: ReadonlyMap<string, string>): Json {
  const fill = (value: unknown): unknown =>
    typeof value === "string"
      ? value.replace(
          /\$\$|\$\{(\w+)(?:(:?[-?])([^}]*))?\}/g,
          (text, name?: string, how?: string, rest?: string) => {
            if (name === undefined) return "$";
            return values.get(name) ?? (how?.endsWith("-") ? (rest ?? "") : text);
          },
        )
      : Array.isArray(value)
        ? value.map(fill)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]))
          : value;
  return record(fill(parse(readFileSync(file, "utf8"), { merge: true })));
}

function extended(service: Json, dir: string, values: ReadonlyMap<string, string>): Json {
  const { file, service: name } = record(service["extends"]);
  if (typeof file !== "string") return service;
  return { ...record(record(load(join(dir, file), values)["services"])[String(name)]), ...service };
}

function containerOf(name: string, service: Json, project: Project): Json {
  const texts = (key: string): string[] => list(service[key]).map(String);
  const labels = pairs(service["labels"]).map((pair) => {
    const [label = "", ...value] = pair.split("=");
    return { label, value: value.join("=") };
  });
  const files = texts("env_file").flatMap((file) =>
    [...variablesOf(join(project.dir, file))].map((pair) => pair.join("=")),
  );
  const mounts = list(service["volumes"]).flatMap((volume) => mountsOf(volume, project.dir));
  const { test } = record(service["healthcheck"]);
  return {
    name,
    image: service["image"],
    restart: service["restart"],
    user: service["user"],
    hostname: service["hostname"],
    networkMode: String(service["network_mode"] ?? "bridge").replace(/^service:/, "container:"),
    pidMode: service["pid"],
    ipcMode: service["ipc"],
    privileged: service["privileged"],
    entrypoints: service["entrypoint"] === undefined ? undefined : texts("entrypoint"),
    command: service["command"] === undefined ? undefined : texts("command"),
    dns: texts("dns"),
    envs: [...files, ...pairs(service["environment"])],
    labels,
    capabilities: { adds: texts("cap_add"), drops: texts("cap_drop") },
    securityOpts: texts("security_opt"),
    devices: texts("devices").map((device) => ({ hostPath: device.split(":")[0] })),
    ports: list(service["ports"]).map(portOf),
    volumes: mounts.filter((mount) => !("file" in mount)),
    uploads: [...mounts.filter((mount) => "file" in mount), ...configsOf(service, project)],
    healthcheck:
      test === undefined ? undefined : { tests: typeof test === "string" ? ["CMD-SHELL", test] : test },
  };
}

/** `[ip:]external:internal[/protocol]`, or the same in words. */
function portOf(port: unknown): Json {
  const long = record(port);
  const [, ip, external, internal, protocol] = /^(?:([\d.]+):)?(\d+):(\d+)(?:\/(\w+))?$/.exec(
    String(port),
  ) ?? ["", long["host_ip"], long["published"], long["target"], long["protocol"]];
  return { ip, external: Number(external), internal: Number(internal), protocol };
}

/** Files of the corpus are content that goes along; all else is a volume or a host's path. */
function mountsOf(volume: unknown, dir: string): Json[] {
  const long = record(volume);
  const [source = "", target = "", mode] =
    typeof volume === "string" ? volume.split(":") : [long["source"], long["target"]].map(String);
  const readOnly = mode?.includes("ro") ?? long["read_only"] === true;
  if (!/^[./~$]/.test(source)) return [{ volumeName: source, containerPath: target, readOnly }];
  const own = join(dir, source);
  if (source.startsWith("./") && existsSync(own)) {
    const content = (file: string): string => readFileSync(file, "utf8");
    if (statSync(own).isFile()) return [{ file: target, content: content(own) }];
    return readdirSync(own).map((name) => ({ file: join(target, name), content: content(join(own, name)) }));
  }
  const hostPath = source.startsWith(".") ? normalize(join("/srv/stack", source)) : source;
  return [{ hostPath, containerPath: target, readOnly }];
}

const configsOf = (service: Json, { compose }: Project): Json[] =>
  list(service["configs"]).map((config) => {
    const { source, target } = record(config);
    return { file: target, content: record(record(compose["configs"])[String(source)])["content"] };
  });
