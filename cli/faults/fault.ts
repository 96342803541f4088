import type { Cut } from "../../lab/firewall.ts";
import type { World } from "./world.ts";
import type { Allowance } from "./logs.ts";

/** Sessions at the same time, each from a client address of its own. */
export const SESSIONS = 20;

/** Something that breaks for a while, or is done, under traffic. */
export interface Fault {
  name: string;
  /** What happens, in a line. */
  what: string;
  /** Brings the lab into the state that it strikes, before there is traffic. */
  prepare?(world: World): Promise<void>;
  /** Takes that back, when all has been read. Runs also when a run ends early. */
  restore?(world: World): Promise<void>;
  /** Makes it happen. Returns when it has. */
  inject(world: World): Promise<void>;
  /**
   * Takes it back. Without it the stack recovers by itself, and the fault is over when it has been
   * injected. Runs also when a run ends early.
   */
  heal?(world: World): Promise<void>;
  /** How long it lasts before it is taken back. Seconds. Default: 10 */
  lasts?: number;
  /**
   * Over how long the messages are spread at least, so that some are sent all the while. Seconds.
   * Default: 12
   */
  spans?: number;
  /** What it may leave in the logs. */
  allowed?: readonly Allowance[];
  /** What it holds up is tried again by the schedule: no restart hastens that. */
  scheduled?: true;
  /** Why mail may come back to its sender as undeliverable; else none may. */
  bounces?: string;
  /** Why there may be second copies, in the server's own words; else none may be. */
  duplicates?: string;
  /**
   * Until everything must be where it belongs, without a hand. Seconds. Default: 300, which is more
   * than Stalwart's first two minutes between two attempts.
   */
  patience?: number;
}

/** A way that is cut while the fault lasts. */
export const during = (
  cut: (world: World) => Cut,
): Pick<Fault, "inject"> & Required<Pick<Fault, "heal">> => ({
  inject: (world) => cut(world).begin(),
  heal: (world) => cut(world).end(),
});
