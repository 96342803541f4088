import { dirname } from "node:path";

import { stacksOf } from "./compose/stacks.ts";
import { readProject } from "./compose/project.ts";
import { projectsOf, type Input } from "./discover.ts";
import { caddyOf, policyFileOf } from "./input/files.ts";
import { registryOf, settingsOf } from "./input/stalwart.ts";
import { stateOf } from "./input/state.ts";
import type { At } from "./located.ts";
import { MAX_STATE_BYTES, type Repository } from "./repository.ts";
import type { Gap, Source, Stack } from "./resource.ts";
import { UnreadableInput } from "./yaml.ts";

/** A file that cannot be read as what it is. */
export interface Problem {
  readonly at: At;
  readonly message: string;
}

export interface Inputs {
  readonly stacks: readonly Stack[];
  readonly gaps: readonly Gap[];
  readonly problems: readonly Problem[];
  /** How many files were read. */
  readonly files: number;
}

/** A file that is no project of its own, and the folder whose projects it belongs to. */
interface Lone {
  readonly source: Source;
  readonly path: string;
  readonly kind: Input["kind"];
  readonly scope: string;
}

/**
 * Puts files together as they are deployed. A compose project, or a state, is a stack. Any other
 * file belongs to the projects of the nearest folder around it that has some: a policy file to each
 * of them, Stalwart's and Caddy's to one.
 */
export function readInputs(
  inputs: readonly Input[],
  repository: Repository,
  profiles: readonly string[],
): Inputs {
  const gaps: Gap[] = [];
  const problems: Problem[] = [];
  // Whatever is wrong with one file, the others are judged.
  const attempt = <Result>(path: string, work: () => Result): Result | undefined => {
    try {
      return work();
    } catch (error) {
      problems.push(
        error instanceof UnreadableInput
          ? { at: error.at, message: error.message }
          : { at: { file: repository.shown(path), line: 1 }, message: "cannot be read as what it is" },
      );
      return undefined;
    }
  };
  for (const { kind, path } of inputs)
    if (kind === "unreadable")
      problems.push({
        at: { file: repository.shown(path), line: 1 },
        message: "cannot be read: it is too large, no text, or closed to you",
      });
  const files = new Set<string>();
  const projects = projectsOf(inputs, repository).flatMap((paths) => {
    const project = attempt(paths[0] ?? "", () => readProject(paths, repository));
    if (!project) return [];
    for (const file of project.files) files.add(file);
    return [{ project, folder: dirname(paths[0] ?? ""), path: paths[0] ?? "" }];
  });
  // What another one includes is judged there, with all that surrounds it.
  const included = new Set(projects.flatMap(({ project }) => [...project.included]));
  const built = projects
    .filter(({ path }) => !included.has(path))
    .flatMap(({ project, folder, path }) => {
      const made = attempt(path, () => stacksOf(project, repository, profiles));
      if (!made) return [];
      gaps.push(...made.gaps);
      return made.stacks.map((stack) => ({ stack, folder }));
    });

  const states = inputs
    .filter(({ kind }) => kind === "state")
    .flatMap(({ path }) => {
      files.add(path);
      const text = repository.read(path, MAX_STATE_BYTES) ?? "";
      return attempt(path, () => stateOf(text, repository.shown(path))) ?? [];
    });

  const folders = built.map(({ folder }) => folder);
  const mounted = new Set(
    built.flatMap(({ stack }) =>
      stack.resources.flatMap(({ places }) => [...places.values()].map((at) => at.file)),
    ),
  );
  const lone = inputs.flatMap(({ kind, path }): Lone[] => {
    const shown = repository.shown(path);
    const read = READERS[kind];
    if (!read) return [];
    files.add(path);
    // A Caddyfile that a service mounts is read there.
    if (kind === "caddy" && mounted.has(shown)) return [];
    const source = attempt(path, () => read(repository.read(path) ?? "", shown));
    return source ? [{ source, path, kind, scope: scopeOf(path, folders) }] : [];
  });

  const isWithin = (folder: string, scope: string): boolean =>
    folder === scope || folder.startsWith(`${scope}/`);
  const policiesFor = (folder: string): Source[] => {
    const around = lone.filter(({ kind, scope }) => kind === "policy" && isWithin(folder, scope));
    // Of folders around one folder the nearest has the longest path.
    const nearest = Math.max(...around.map(({ scope }) => scope.length));
    return around.filter(({ scope }) => scope.length === nearest).map(({ source }) => source);
  };
  const others = lone.filter(({ kind }) => kind !== "policy");
  const joins = ({ scope, kind }: Lone, folder: string): boolean =>
    isWithin(folder, scope) &&
    new Set(folders.filter((one) => isWithin(one, scope))).size === 1 &&
    others.filter((other) => other.kind === kind && other.scope === scope).length === 1;
  const whole = built.map(({ stack, folder }) => ({
    ...stack,
    resources: [
      ...stack.resources,
      ...others.filter((one) => joins(one, folder)).map(({ source }) => source),
      ...policiesFor(folder),
    ],
  }));
  const alone = others
    .filter((one) => !folders.some((folder) => joins(one, folder)))
    .map(({ source, path }): Stack => {
      const folder = folders.length === 0 ? dirname(path) : scopeOf(path, folders);
      const all = lone.filter(
        ({ kind, scope }) => kind === "policy" && (isWithin(folder, scope) || folders.length === 0),
      );
      return { name: source.name, at: source.at, resources: [source, ...all.map((one) => one.source)] };
    });
  const judged = new Set([...whole, ...alone].flatMap(({ resources }) => resources));
  const policies = lone
    .filter(({ source }) => !judged.has(source))
    .map(({ source }): Stack => ({ name: source.name, at: source.at, resources: [source] }));
  return { stacks: [...whole, ...alone, ...policies, ...states], gaps, problems, files: files.size };
}

const READERS: Partial<Record<Input["kind"], (text: string, file: string) => Source>> = {
  policy: policyFileOf,
  caddy: caddyOf,
  settings: settingsOf,
  plan: registryOf,
};

/** The nearest folder around a file that has projects in or below it; its own where none has. */
function scopeOf(path: string, projects: readonly string[]): string {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (projects.some((one) => one === folder || one.startsWith(`${folder}/`))) return folder;
    if (dirname(folder) === folder) return dirname(path);
  }
}
