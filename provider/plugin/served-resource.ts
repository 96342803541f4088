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
  /**
   * How its properties cross the engine, where that is not how everybody here has them: what a
   * stack has thousands of goes as texts, since the engine copies, sends and logs each value some
   * ten times. Default: as they are
   */
  readonly wire?: {
    /** Takes also what is wrong, for `check`, and what an older release has left in a state. */
    from(properties: Json): Json;
    to(properties: Json): Json;
  };
  withDefaults(inputs: Json): Json;
  /** The id of what a state describes. */
  idOf(state: State): string;
  /**
   * Everything that is wrong with the inputs; [] when nothing is. Never repeats a secret.
   *
   * @param olds inputs of the last deploy that went through; {} at the first one
   */
  check(inputs: Json, olds: Json): Failure[];
  /** Creation and update are one: bring the server there, from wherever it is. */
  apply(desired: State, previous: State | undefined, log: Log): Promise<State>;
  /** The state after a deploy that failed and could put nothing back. */
  interrupted(news: State, olds: State | undefined): State;
  /** The live server in the terms of the state; undefined when it is gone. */
  read(state: State): Promise<State | undefined>;
  delete(state: State, log: Log): Promise<void>;
  /** What a finished deploy leaves where it deploys to; without it nothing is asked for. */
  readonly trace?: {
    /** Property path of it. */
    readonly marker: string;
    /**
     * Whether it is there, if the deploy has left it: a data store that was emptied, or restored
     * from before, has it not.
     */
    isApplied(state: State): Promise<boolean>;
  };
}

/** Type token → what serves it. */
export type ServedResources = Readonly<Record<string, ServedResource>>;
