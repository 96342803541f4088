import { dirname, resolve } from "node:path";

import {
  below,
  emptyMapping,
  entriesOf,
  itemsOf,
  textOf,
  type At,
  type Located,
  type Mapping,
} from "../located.ts";
import type { Repository } from "../repository.ts";
import { UNKNOWN, type Gap } from "../resource.ts";
import { readEnvFile } from "./env-file.ts";
import type { Inputs } from "./inputs.ts";
import { withoutValue } from "./inputs.ts";
import { asMapping } from "./merge.ts";
import type { Project } from "./project.ts";

interface Variable {
  readonly text: string;
  readonly written: string;
  readonly at: At;
  readonly shown: string;
  readonly unset: readonly string[];
}

/** A service's variables: those of its env files, and over them those of `environment`. */
export function addEnvironment(
  service: Mapping,
  inputs: Inputs,
  project: Project,
  repository: Repository,
): Gap[] {
  const variables = new Map<string, Variable>();
  const gaps: Gap[] = [];
  for (const file of itemsOf(service.entries.get("env_file"))) addEnvFile(file);
  for (const { key, at, node } of entriesOf(
    asMapping(service.entries.get("environment") ?? emptyMapping(service.at)),
  )) {
    const shown = inputs.shown(`environment.${key}`);
    const own = valueOf(key, node);
    if (own) variables.set(key, { ...own, at, shown });
    else if (!variables.has(key))
      gaps.push({ at, because: `${shown} is taken from the shell that starts it` });
  }
  for (const [name, { text, written, at, shown, unset }] of variables) {
    const place = { ...at, shown };
    inputs.places.set(`envs (${name})`, place);
    inputs.push("envs", { value: `${name}=${text}`, written: `${name}=${written}` }, place);
    if (unset.length > 0) gaps.push({ at, because: `${shown}: ${withoutValue(unset)}`, unset });
  }
  return gaps;

  /** A name without a value is one that Compose takes from its own variables. */
  function valueOf(name: string, node: Located): Omit<Variable, "at" | "shown"> | undefined {
    const text = textOf(node);
    if (node.kind === "scalar" && text !== undefined)
      return { text, written: node.written ?? text, unset: node.unset ?? [] };
    const known = project.variables.get(name);
    return known && { text: known.value, written: known.isHidden ? `\${${name}}` : known.value, unset: [] };
  }

  function addEnvFile(file: Located): void {
    const name = textOf(file) ?? textOf(below(file, "path"));
    if (name === undefined) return;
    const path = resolve(dirname(repository.absolute(file.at.file)), name);
    const text = repository.read(path);
    if (text === undefined) {
      if (textOf(below(file, "required")) === "false") return;
      const because = `${name} is not there, so its variables are not seen`;
      gaps.push({ at: file.at, because });
      inputs.push(
        "envs",
        { value: UNKNOWN },
        { ...file.at, shown: inputs.shown("env_file"), unknownBecause: because },
      );
      return;
    }
    const isRaw = textOf(below(file, "format")) === "raw";
    const shown = repository.shown(path);
    const isHidden = repository.mayHoldSecrets(path);
    for (const entry of readEnvFile(text, project.variables, isHidden, isRaw, shown))
      variables.set(entry.name, {
        ...entry,
        at: { file: shown, line: entry.line },
        shown: entry.name,
      });
  }
}
