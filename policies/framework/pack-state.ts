import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { EnforcementLevel, Severity } from "@pulumi/policy";

import {
  Exceptions,
  EXCEPTIONS_FILE,
  ExceptionsError,
  NO_EXCEPTIONS,
  parseExceptions,
} from "./exceptions.ts";
import {
  PolicySettingsError,
  refuseUnknownKeys,
  splitCommonSettings,
  wrongSetting,
} from "./policy-settings.ts";
import type { PolicyDefinition, PolicyResource } from "./policy.ts";

/** Id of the policy that keeps the exceptions themselves; it is part of every pack. */
export const EXCEPTIONS_POLICY = "policy-exceptions";

/** One policy's part of `--policy-pack-config`, with the level that holds in the end. */
export interface PolicyConfig {
  readonly enforcementLevel: EnforcementLevel;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A policy's config with its own defaults filled in. */
export interface EffectiveConfig<Settings> {
  readonly enforcementLevel: "advisory" | "mandatory";
  readonly severity: Severity;
  readonly settings: Settings;
}

/** tailwart's components; the two resources of its plugin are shown with all that they have. */
const COMPONENT = /^tailwart:mail:(?!(?:Settings|Registry)$)/;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as AnyPolicy of rules/index.ts
type Policy = PolicyDefinition<any>;

/** The config of one run of the pack, read once for the thousands of questions that may come. */
export class PackRun {
  readonly #policies: ReadonlyMap<string, Policy>;
  readonly #directory: string;
  readonly #configs = new Map<string, EffectiveConfig<unknown>>();
  readonly #levels = new Map<string, EnforcementLevel>();
  readonly #taken = new Set<string>();
  #exceptions = NO_EXCEPTIONS;
  /** URN of a component → its arguments. */
  readonly #inputs = new Map<string, PolicyResource["props"]>();

  /** @param directory the program's, see programDirectory */
  constructor(policies: readonly Policy[], directory: string) {
    this.#policies = new Map(policies.map((policy) => [policy.id, policy]));
    this.#directory = directory;
  }

  get exceptions(): Exceptions {
    return this.#exceptions;
  }

  /**
   * Takes the whole policy config, and reads the exceptions.
   *
   * @param day as YYYY-MM-DD; default: today in UTC
   * @throws PolicySettingsError or ExceptionsError with the path of the key that is wrong
   */
  configure(config: ReadonlyMap<string, PolicyConfig>, day = today()): void {
    for (const [id, part] of config) {
      this.#levels.set(id, part.enforcementLevel);
      const policy = this.#policies.get(id);
      if (policy) this.#configs.set(id, effectiveConfig(policy, part));
      else if (id === "all") refuseUnknownKeys(id, part.properties, []);
      else if (id !== EXCEPTIONS_POLICY) {
        const ids = [...this.#policies.keys(), EXCEPTIONS_POLICY, "all"];
        throw new PolicySettingsError(`${id} is no policy of this pack; write one of ${ids.join(", ")}`);
      }
    }
    this.#exceptions = this.#readExceptions(config.get(EXCEPTIONS_POLICY)?.properties ?? {}, day);
  }

  /**
   * Takes one policy's part, where the SDK hands it over with each question (wire/sdk-way.ts): each
   * time the same. Findings are mandatory then, until the SDK says otherwise.
   *
   * @throws as `configure`
   */
  configurePart(id: string, properties: PolicyConfig["properties"]): void {
    if (this.#taken.has(id)) return;
    this.#taken.add(id);
    const policy = this.#policies.get(id);
    if (policy) this.#configs.set(id, effectiveConfig(policy, { enforcementLevel: "mandatory", properties }));
    if (policy === undefined || this.#taken.size === 1)
      this.#exceptions = this.#readExceptions(id === EXCEPTIONS_POLICY ? properties : {}, today());
  }

  /** The level that the policy config gives a policy; undefined where it gives none. */
  levelOf(id: string): EnforcementLevel | undefined {
    return this.#levels.get(id);
  }

  /** A policy's part of the policy config; without one, the policy's own defaults. */
  configOf<Settings>(policy: PolicyDefinition<Settings>): EffectiveConfig<Settings> {
    let config = this.#configs.get(policy.id);
    if (!config) {
      const { enforcementLevel } = policy;
      config = effectiveConfig(policy, { enforcementLevel, properties: {} });
      this.#configs.set(policy.id, config);
    }
    return config as EffectiveConfig<Settings>;
  }

  /**
   * Keeps a component's arguments. A stack policy is shown a component's outputs instead, which
   * mostly are none, while the engine shows each resource's inputs to the resource policies before
   * (step_generator.go, analyze_snapshot.go).
   */
  remember({ type, urn, props }: Pick<PolicyResource, "type" | "urn" | "props">): void {
    if (COMPONENT.test(type)) this.#inputs.set(urn, props);
  }

  /** A resource of the stack as stack policies are to see it. */
  recall<Resource extends PolicyResource>(resource: Resource): Resource {
    const props = this.#inputs.get(resource.urn);
    return props ? { ...resource, props } : resource;
  }

  #readExceptions(properties: Readonly<Record<string, unknown>>, today: string): Exceptions {
    refuseUnknownKeys(EXCEPTIONS_POLICY, properties, ["file"]);
    const { file } = properties;
    if (file !== undefined && (typeof file !== "string" || file === ""))
      throw wrongSetting(
        `${EXCEPTIONS_POLICY}.file`,
        "a path, from the program's directory",
        `"../${EXCEPTIONS_FILE}"`,
      );
    const path = resolve(this.#directory, file ?? EXCEPTIONS_FILE);
    const shown = relative(this.#directory, path);
    if (!existsSync(path)) {
      if (file === undefined) return NO_EXCEPTIONS;
      throw new ExceptionsError(shown, [`is not there, and ${EXCEPTIONS_POLICY}.file names it`]);
    }
    const entries = parseExceptions(readFileSync(path, "utf8"), shown, [...this.#policies.keys()]);
    return new Exceptions(shown, entries, today);
  }
}

/** As YYYY-MM-DD, in UTC. */
const today = () => new Date().toISOString().slice(0, "YYYY-MM-DD".length);

function effectiveConfig(
  policy: Policy,
  { enforcementLevel, properties }: PolicyConfig,
): EffectiveConfig<unknown> {
  const { severity, own } = splitCommonSettings(policy.id, properties);
  if (!policy.settings) refuseUnknownKeys(policy.id, own, []);
  // No policy of this pack mends anything: "remediate" means the policy's own level.
  const level = enforcementLevel === "remediate" ? policy.enforcementLevel : enforcementLevel;
  return {
    enforcementLevel: level === "advisory" ? "advisory" : "mandatory",
    severity: severity ?? policy.severity,
    settings: policy.settings?.parse(own),
  };
}

/**
 * The directory of the program whose resources are judged: the nearest one with a Pulumi.yaml, from
 * the one in which the pack is started. An executable pack is started in the program's directory,
 * or that of its `main`; a directory pack in its own, which lies in the node_modules beside the
 * Pulumi.yaml, or anywhere: then `policy-exceptions.file` has to say where the exceptions are.
 */
export function programDirectory(start: string): string {
  for (let here = start; ; here = dirname(here)) {
    if (["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"].some((name) => existsSync(join(here, name))))
      return here;
    if (dirname(here) === here) return start;
  }
}
