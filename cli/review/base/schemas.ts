import { type OpenStack, run } from "../engine-runs.ts";
import type { Replacing } from "./difference.ts";

interface Property {
  /** Said by the bridged providers, such as docker's. */
  readonly willReplaceOnChanges?: boolean;
  /** Said by the others, such as command's. */
  readonly replaceOnChanges?: boolean;
}

interface PackageSchema {
  readonly resources?: Readonly<
    Record<string, { readonly inputProperties?: Readonly<Record<string, Property>> }>
  >;
}

/**
 * Which inputs replace a resource, from the schemas of the plugins that are installed; one that has
 * no schema, as a project's own, says nothing.
 *
 * @param plugins as `name@version`
 */
export async function replacingInputs(opened: OpenStack, plugins: readonly string[]): Promise<Replacing> {
  const replacing = new Map<string, ReadonlySet<string>>();
  for (const plugin of plugins) {
    const { code, stdout } = await run(opened, ["package", "get-schema", plugin], opened.project);
    if (code === 0) for (const [type, inputs] of inputsIn(stdout)) replacing.set(type, inputs);
  }
  return replacing;
}

/** Of each type of a schema, the inputs that replace its resource. */
export function inputsIn(schemaText: string): [type: string, inputs: Set<string>][] {
  const { resources = {} } = JSON.parse(schemaText) as PackageSchema;
  return Object.entries(resources).map(([type, { inputProperties = {} }]) => {
    const forcing = Object.entries(inputProperties).filter(
      ([, { willReplaceOnChanges, replaceOnChanges }]) => willReplaceOnChanges || replaceOnChanges,
    );
    return [type, new Set(forcing.map(([name]) => name))];
  });
}
