import { sdkMember } from "../framework/wire/analyzer-service.ts";
import { specialSecretSig, specialSigKey } from "../framework/wire/inputs.ts";
import type { At } from "./located.ts";

/** Where an input is written. */
export interface Place extends At {
  /** The input as its file calls it, such as `services.mail.environment.RELAY`. */
  readonly shown: string;
  /** Set where the input is the whole text of the file: places within it are looked for there. */
  readonly isText?: true;
  /** The text of a block of lines within the file, which begins at the line after this one. */
  readonly block?: string;
  /** Why the value is not known, where it is not. */
  readonly unknownBecause?: string;
}

/** Something that nothing is judged of. */
export interface Gap {
  readonly at: At;
  readonly because: string;
  /** The variables without a value, where that is why. */
  readonly unset?: readonly string[];
}

/** A resource as the rules judge it, before its inputs are read as the engine's are. */
export interface Source {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** As the engine sends them: secrets and unknown values are marked. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** What a policy that looks for secrets sees instead: hidden values are left as `${NAME}`. */
  readonly written?: Readonly<Record<string, unknown>>;
  /** What single policies see instead, by their id. */
  readonly forPolicy?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly protect: boolean;
  readonly parent?: string;
  /** Input → the resources that it comes from, by URN. */
  readonly dependencies?: Readonly<Record<string, readonly string[]>>;
  /** Where the resource itself is written. */
  readonly at: Place;
  /** Inputs by their path, as a policy tells it, such as `envs (RELAY)`. */
  readonly places: ReadonlyMap<string, Place>;
}

/** Resources that are judged together. */
export interface Stack {
  readonly name: string;
  readonly at: At;
  readonly resources: readonly Source[];
}

/** What the engine sends in place of a value that is unknown; reading it throws. */
export const UNKNOWN = sdkMember<string>("./proxy.js", "unknownStringValue");

/** A value that is a secret of the stack. */
export const secret = (value: unknown): object => ({ [specialSigKey]: specialSecretSig, value });

/** The URN of a resource that no engine has named. */
export const urnOf = (project: string, type: string, name: string): string =>
  `urn:pulumi:check::${project}::${type}::${name}`;
