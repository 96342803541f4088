import { lstatSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";

import { below, itemsOf, textOf, type At, type Located, type Mapping } from "../located.ts";
import type { Repository } from "../repository.ts";
import { secret, UNKNOWN, type Gap } from "../resource.ts";
import { knownText, placeOf, type Inputs } from "./inputs.ts";
import { splitVolume } from "./merge.ts";
import type { Project } from "./project.ts";

/** What programs are configured by; anything else in a folder is data. */
const CONFIG =
  /(?:^|\/)(?:Caddyfile|[\w.-]+\.(?:toml|hujson|jsonc?|ya?ml|conf|cf|cfg|ini|caddyfile|caddy|sh|ndjson))$/i;
const MAX_FILES = 60;

interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly isVolume: boolean;
}

/**
 * Volumes, configs and secrets. A file of the repository that a container is given counts as one
 * that it brings along, so that it is read.
 */
export function addMounts(service: Mapping, inputs: Inputs, project: Project, repository: Repository): Gap[] {
  const gaps: Gap[] = [];
  for (const [index, node] of itemsOf(service.entries.get("volumes")).entries()) {
    const place = placeOf(node, inputs.shown(`volumes[${index}]`));
    const mount = mountOf(node);
    if (mount === "unknown") inputs.push("volumes", { value: { hostPath: UNKNOWN } }, place);
    else if (mount) addVolume(mount, node, place);
  }
  for (const section of ["configs", "secrets"] as const)
    for (const node of itemsOf(service.entries.get(section))) addShared(section, node);
  return gaps;

  function addVolume(
    { source, target, readOnly, isVolume }: Mount,
    node: Located,
    place: ReturnType<typeof placeOf>,
  ) {
    const common = { containerPath: target, readOnly };
    if (isVolume) {
      const name = nameOfVolume(source, project);
      return void inputs.push("volumes", { value: { ...(name && { volumeName: name }), ...common } }, place);
    }
    const isOurs = /^\.{1,2}(?:\/|$)/.test(source);
    const files = isOurs ? filesAt(resolve(folderOf(node.at), source), target) : undefined;
    for (const { path, file } of files?.read ?? []) addFile(path, file);
    // What has been read wholly is no part of a host any more.
    if (files?.isWhole) return;
    if (isOurs && !files && CONFIG.test(source))
      gaps.push({ at: place, because: `${source} is not there, so it is not judged` });
    inputs.push("volumes", { value: { hostPath: source, ...common } }, place);
  }

  function addShared(section: "configs" | "secrets", node: Located): void {
    const name = textOf(node) ?? textOf(below(node, "source")) ?? "";
    const definition = project[section].get(name);
    const wanted = textOf(below(node, "target")) ?? (section === "secrets" ? name : `/${name}`);
    const file = isAbsolute(wanted) ? wanted : join("/run/secrets", wanted);
    const place = placeOf(node, inputs.shown(`${section}.${name}`));
    const source = below(definition, "file");
    const content = below(definition, "content");
    if (source) {
      const path = resolve(folderOf(source.at), textOf(source) ?? "");
      const isHidden =
        repository.isIgnored(path) || (section === "secrets" && repository.mayHoldSecrets(path));
      if (repository.read(path) !== undefined && !(section === "secrets" && isHidden)) addFile(path, file);
      else inputs.push("uploads", { value: { file, source: textOf(source) } }, place);
    } else if (content) {
      const text = knownText(content) ?? UNKNOWN;
      const shown = `${section}.${name}.content`;
      const value = { file, content: text };
      // Flow scalars have no line of their own for each of the text's.
      const isBlock = content.kind === "scalar" && content.isBlock === true;
      const at = { ...content.at, shown, ...(isBlock && { block: text }) };
      const upload = inputs.push("uploads", { value, written: { file, content: writtenOf(content) } }, at);
      inputs.places.set(`${upload}.content`, at);
    } else if (below(definition, "environment"))
      inputs.push("uploads", { value: { file, content: secret(UNKNOWN) } }, place);
  }

  function addFile(path: string, file: string): void {
    const content = repository.read(path) ?? "";
    const written = { file, content: repository.isIgnored(path) ? "" : content };
    const at = { file: repository.shown(path), line: 1 };
    const place = inputs.push(
      "uploads",
      { value: { file, content }, written },
      { ...at, shown: basename(path) },
    );
    inputs.places.set(`${place}.content`, { ...at, shown: basename(path), isText: true });
  }

  function folderOf({ file }: At): string {
    return dirname(repository.absolute(file));
  }

  /** The config files at a path, and whether nothing else is there; undefined where nothing is. */
  function filesAt(path: string, target: string) {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isFile()) {
      const isWhole = repository.read(path) !== undefined;
      return { read: isWhole ? [{ path, file: target }] : [], isWhole };
    }
    if (!stats?.isDirectory()) return undefined;
    const entries = repository.list(path);
    const configs = entries.filter(
      (entry) =>
        entry.isFile() && CONFIG.test(entry.name) && repository.read(join(path, entry.name)) !== undefined,
    );
    const read = configs
      .slice(0, MAX_FILES)
      .map(({ name }) => ({ path: join(path, name), file: join(target, name) }));
    return { read, isWhole: entries.length > 0 && read.length === entries.length };
  }
}

const writtenOf = (node: Located): string =>
  (node.kind === "scalar" ? (node.written ?? textOf(node)) : undefined) ?? "";

/** Undefined for what is neither of the host nor a volume, such as a tmpfs. */
function mountOf(node: Located): Mount | "unknown" | undefined {
  if (node.kind === "mapping") {
    const type = textOf(below(node, "type")) ?? "volume";
    if (type !== "bind" && type !== "volume") return undefined;
    const [source, target] = [below(node, "source"), below(node, "target")];
    if ([source, target].some((one) => one?.kind === "scalar" && one.unset)) return "unknown";
    const readOnly = textOf(below(node, "read_only")) === "true";
    return {
      source: textOf(source) ?? "",
      target: textOf(target) ?? "",
      readOnly,
      isVolume: type === "volume",
    };
  }
  if (node.kind !== "scalar") return undefined;
  if (node.unset) return "unknown";
  const [first = "", second, options = ""] = splitVolume(textOf(node) ?? "");
  const readOnly = options.split(",").includes("ro");
  if (second === undefined) return { source: "", target: first, readOnly: false, isVolume: true };
  return { source: first, target: second, readOnly, isVolume: !/^[./~]/.test(first) };
}

/** A volume's name on its host. */
export function nameOfVolume(key: string, project: Project): string | undefined {
  if (key === "") return undefined;
  const definition = project.volumes.get(key);
  const own = textOf(below(definition, "name"));
  const isExternal = textOf(below(definition, "external")) === "true";
  return own ?? (isExternal ? key : `${project.name}_${key}`);
}
