/** What the plugin serves, as the engine's calls need it. */
import type { Log } from "./log.ts";

export type Json = Record<string, unknown>;

/** What is wrong with one input. */
export interface Failure {
  /** Property path as Pulumi writes it: `accounts.alice.secret`. */
  property: string;
  reason: string;
}

/**
 * One resource type, as the engine's calls need it. `State` is what stands in the stack's state.
 */
export interface ServedResource<State = Json> {
  /**
   * Properties that only a deploy can tell, each with the inputs on which they depend. Default:
   * none
   */
  readonly outputs?: Readonly<Record<string, readonly string[]>>;
  withDefaults(inputs: Json): Json;
  /** Everything that is wrong with the inputs; [] when nothing is. Never repeats a secret. */
  check(inputs: Json): Failure[];
  /** Creation and update are one: bring the server there, from wherever it is. */
  apply(desired: State, previous: State | undefined, log: Log): Promise<State>;
  /** The state after a deploy that failed and could put nothing back. */
  interrupted(news: State, olds: State | undefined): State;
  /** The live server in the terms of the state; undefined when it is gone. */
  read(state: State): Promise<State | undefined>;
  delete(state: State, log: Log): Promise<void>;
  /** Property path of the marker that a finished deploy leaves in the data store. */
  readonly marker: string;
  /**
   * Whether the data store has it, if the deploy has left it: one that was emptied, or restored
   * from before, has not.
   */
  isApplied(state: State): Promise<boolean>;
}

/** Type token → what serves it. */
export type ServedResources = Readonly<Record<string, ServedResource>>;
