import { discover } from "../../policies/check/discover.ts";
import { Repository } from "../../policies/check/repository.ts";
import { readInputs } from "../../policies/check/stacks.ts";
import { urnOf, type TestResource } from "./harness.ts";

/** The resources that `tailwart-policies check` makes of a folder with one compose project. */
export function resourcesIn(folder: string): TestResource[] {
  const repository = new Repository(folder);
  const { stacks, problems } = readInputs(discover([folder], repository), repository, []);
  const [stack] = stacks;
  if (!stack || problems.length > 0) throw new Error(`${folder}: ${JSON.stringify(problems)}`);
  const named = new Map(
    stack.resources.map(({ urn, type, name }) => [urn, urnOf({ type, name, props: {} })]),
  );
  return stacks
    .flatMap(({ resources }) => resources)
    .map(({ type, name, written, inputs, protect, parent, dependencies = {} }) => ({
      type,
      name,
      props: written ?? inputs,
      protect,
      ...(parent !== undefined && { parent: named.get(parent) ?? parent }),
      propertyDependencies: Object.fromEntries(
        Object.entries(dependencies).map(([input, urns]) => [
          input,
          urns.map((urn) => named.get(urn) ?? urn),
        ]),
      ),
    }));
}
