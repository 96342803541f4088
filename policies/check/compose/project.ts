import { basename, dirname, join, resolve } from "node:path";

import {
  below,
  emptyMapping,
  entriesOf,
  itemsOf,
  mapScalars,
  textOf,
  withEntries,
  type At,
  type Located,
  type Mapping,
} from "../located.ts";
import type { Repository } from "../repository.ts";
import type { Gap } from "../resource.ts";
import { readYaml, UnreadableInput } from "../yaml.ts";
import { interpolate, type Variables } from "./interpolate.ts";
import { mergeService } from "./merge.ts";
import { variablesOf } from "./variables.ts";

/** What Compose makes of one or more files, each value with its place. */
export interface Project {
  readonly name: string;
  /** The first file. */
  readonly at: At;
  readonly services: ReadonlyMap<string, Mapping>;
  readonly networks: ReadonlyMap<string, Located>;
  readonly volumes: ReadonlyMap<string, Located>;
  readonly configs: ReadonlyMap<string, Located>;
  readonly secrets: ReadonlyMap<string, Located>;
  readonly variables: Variables;
  readonly gaps: readonly Gap[];
  /** Every file that was read, by its path. */
  readonly files: ReadonlySet<string>;
  /** Those of them that `include` names. */
  readonly included: ReadonlySet<string>;
}

const SECTIONS = ["services", "networks", "volumes", "configs", "secrets"] as const;
type Sections = Record<(typeof SECTIONS)[number], Map<string, Located>>;

/**
 * Reads a project's files, the later ones over the first.
 *
 * @throws UnreadableInput with file and line
 */
export function readProject(paths: readonly string[], repository: Repository): Project {
  const [first = ""] = paths;
  const folder = dirname(first);
  const variables = variablesOf([join(folder, ".env")], new Map(), repository);
  const loader = new Loader(repository);
  const sections = loader.load(paths, variables);
  const name =
    loader.name ??
    basename(folder)
      .toLowerCase()
      .replace(/[^a-z0-9_-]/g, "");
  const services = new Map<string, Mapping>();
  for (const [key, node] of sections.services) if (node.kind === "mapping") services.set(key, node);
  return {
    ...sections,
    services,
    name: name || "compose",
    at: { file: repository.shown(first), line: 1 },
    variables,
    gaps: loader.gaps,
    files: loader.files,
    included: loader.included,
  };
}

class Loader {
  readonly gaps: Gap[] = [];
  readonly files = new Set<string>();
  readonly included = new Set<string>();
  name: string | undefined;
  readonly #repository: Repository;
  readonly #trees = new Map<string, Located>();

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  load(paths: readonly string[], variables: Variables): Sections {
    const all: Sections = {
      services: new Map(),
      networks: new Map(),
      volumes: new Map(),
      configs: new Map(),
      secrets: new Map(),
    };
    for (const path of paths) {
      const tree = this.#tree(path, variables);
      this.name ??= textOf(below(tree, "name"));
      for (const include of itemsOf(below(tree, "include"))) this.#include(include, path, variables, all);
      for (const section of SECTIONS)
        for (const { key, at, node } of entriesOf(below(tree, section)))
          this.#add(all, section, key, this.#extended(section, key, node, at, path, variables, []));
    }
    return all;
  }

  #add(all: Sections, section: (typeof SECTIONS)[number], key: string, node: Located): void {
    const before = all[section].get(key);
    if (node.tag === "!reset") all[section].delete(key);
    else if (before?.kind === "mapping" && node.kind === "mapping")
      all[section].set(key, mergeService(before, node));
    else all[section].set(key, node);
  }

  /** Another project's files, which are read with the variables of their own folder below ours. */
  #include(include: Located, from: string, variables: Variables, all: Sections): void {
    const named = include.kind === "mapping" ? itemsOf(below(include, "path")) : [include];
    const paths = named.map((path) => resolve(dirname(from), textOf(path) ?? ""));
    const [first] = paths;
    if (first === undefined) return;
    const missing = paths.find((path) => this.#repository.read(path) === undefined);
    if (missing !== undefined)
      return void this.gaps.push({
        at: include.at,
        because: `${this.#repository.shown(missing)} is not there`,
      });
    if (paths.every((path) => this.files.has(path))) return;
    for (const path of paths) this.included.add(path);
    const envFiles = itemsOf(below(include, "env_file")).map((file) =>
      resolve(dirname(from), textOf(file) ?? ""),
    );
    const own = variablesOf(
      envFiles.length > 0 ? envFiles : [join(dirname(first), ".env")],
      new Map(),
      this.#repository,
    );
    const sections = this.load(paths, new Map([...own, ...variables]));
    for (const section of SECTIONS)
      for (const [key, node] of sections[section]) this.#add(all, section, key, node);
  }

  /** A service over the one that it extends, and that over its own. */
  #extended(
    section: string,
    key: string,
    node: Located,
    at: At,
    path: string,
    variables: Variables,
    chain: readonly string[],
  ): Located {
    if (section !== "services") return node.kind === "mapping" ? node : emptyMapping(at);
    if (node.kind !== "mapping") return emptyMapping(at);
    const link = `${path}\n${key}`;
    if (chain.includes(link)) throw new UnreadableInput(at, `${key} extends itself`);
    const extended = node.entries.get("extends");
    if (!extended) return { ...node, at };
    const service = textOf(extended) ?? textOf(below(extended, "service")) ?? key;
    const file = textOf(below(extended, "file"));
    const basePath = file === undefined ? path : resolve(dirname(path), file);
    if (this.#repository.read(basePath) === undefined) {
      this.gaps.push({
        at: extended.at,
        because: `${key} extends ${service} of ${file}, which is not there`,
      });
      return { ...node, at };
    }
    const base = below(this.#tree(basePath, variables), "services", service);
    if (base?.kind !== "mapping")
      throw new UnreadableInput(
        extended.at,
        `${key} extends ${service}, which no service of the file is called`,
      );
    const whole = this.#extended(section, service, base, base.at, basePath, variables, [...chain, link]);
    const own = withEntries(
      node,
      entriesOf(node).filter((entry) => entry.key !== "extends"),
    );
    return whole.kind === "mapping" ? { ...mergeService(whole, own), at } : { ...own, at };
  }

  #tree(path: string, variables: Variables): Located {
    this.files.add(path);
    const file = this.#repository.shown(path);
    const text = this.#repository.read(path);
    if (text === undefined) throw new UnreadableInput({ file, line: 1 }, "there is no such file");
    const tree = this.#trees.get(path) ?? filled(readYaml(text, file), variables);
    this.#trees.set(path, tree);
    if (tree.kind !== "mapping") throw new UnreadableInput({ file, line: 1 }, "holds no mapping");
    return tree;
  }
}

/** Keys are never filled in, and numbers have nothing to fill in. */
function filled(tree: Located, variables: Variables): Located {
  return mapScalars(tree, (scalar) => {
    if (typeof scalar.value !== "string" || !scalar.value.includes("$")) return scalar;
    const { text, written, unset } = interpolate(scalar.value, variables, scalar.at);
    return { ...scalar, value: text, written, ...(unset.length > 0 && { unset }) };
  });
}
