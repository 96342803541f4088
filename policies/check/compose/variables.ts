import type { Repository } from "../repository.ts";
import { readEnvFile } from "./env-file.ts";
import type { Variable, Variables } from "./interpolate.ts";

/** The variables of env files, the later ones over the first. */
export function variablesOf(paths: readonly string[], known: Variables, repository: Repository): Variables {
  const variables = new Map<string, Variable>(known);
  for (const path of paths) {
    const text = repository.read(path);
    if (text === undefined) continue;
    const isHidden = repository.mayHoldSecrets(path);
    for (const { name, text: value } of readEnvFile(text, variables, isHidden, false, repository.shown(path)))
      variables.set(name, { value, isHidden });
  }
  return variables;
}
