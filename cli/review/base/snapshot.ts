import { DEFAULT_PROVIDER } from "../changes.ts";
import type { EngineEvent } from "../events.ts";

type Inputs = Readonly<Record<string, unknown>>;

/** A resource as a preview from nothing would make it. */
export interface PlannedResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs: Inputs;
  /** The plugin that makes it, as `name@version`; undefined: the engine itself. */
  readonly plugin?: string;
  /** Input → the resources that its value is made of. */
  readonly madeOf: Readonly<Record<string, readonly string[]>>;
}

/** All resources of a preview, by URN and in its order. */
export type Snapshot = ReadonlyMap<string, PlannedResource>;

/** What is read of `pulumi preview --save-plan`, which alone tells what a value is made of. */
interface Plan {
  readonly resourcePlans?: Readonly<
    Record<string, { readonly goal?: { readonly propertyDependencies?: Record<string, string[] | null> } }>
  >;
}

/**
 * The resources that a preview from nothing has planned.
 *
 * @param planText what `--save-plan` has written; empty where the preview came to no end
 * @param folder the program's, which is left out of values: each side lies in another
 */
export function snapshotOf(events: readonly EngineEvent[], planText: string, folder: string): Snapshot {
  const plan = planText === "" ? {} : (JSON.parse(planText) as Plan);
  const steps = events.flatMap(({ resourcePreEvent }) =>
    resourcePreEvent?.metadata.op === "create" ? [resourcePreEvent.metadata] : [],
  );
  const inputsOf = new Map(
    steps.map(({ urn, new: made }) => [urn, withoutFolder(made?.inputs ?? {}, folder)]),
  );
  return new Map(
    steps
      .filter(({ urn, type }) => type !== "pulumi:pulumi:Stack" && !DEFAULT_PROVIDER.test(urn))
      .map(({ urn, type, new: made }) => {
        const plugin = pluginOf(type, made?.provider ?? "", inputsOf);
        const madeOf = Object.entries(plan.resourcePlans?.[urn]?.goal?.propertyDependencies ?? {});
        const resource: PlannedResource = {
          urn,
          type,
          inputs: inputsOf.get(urn) ?? {},
          ...(plugin !== undefined && { plugin }),
          madeOf: Object.fromEntries(madeOf.map(([name, urns]) => [name, urns ?? []])),
        };
        return [urn, resource];
      }),
  );
}

/** The provider is named as `<its urn>::<its id>`; its version is one of its inputs. */
function pluginOf(type: string, provider: string, inputs: ReadonlyMap<string, Inputs>): string | undefined {
  if (provider === "") return undefined;
  const name = type.split(":")[0] ?? "";
  const version = inputs.get(provider.split("::").slice(0, -1).join("::"))?.["version"];
  return typeof version === "string" ? `${name}@${version}` : name;
}

function withoutFolder(inputs: Inputs, folder: string): Inputs {
  const text = JSON.stringify(inputs);
  const escaped = JSON.stringify(folder).slice(1, -1);
  if (!text.includes(escaped)) return inputs;
  return JSON.parse(text.replaceAll(`${escaped}/`, "").replaceAll(escaped, ".")) as Inputs;
}
