import type { LeftOut } from "../../lib/guards.ts";
import type { RegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import type { AccountState, AdminState, Groups, Interruptible, Target } from "../server/state.ts";

/**
 * The properties of `tailwart:mail:Registry`, in the program, in the state and between engine and
 * provider.
 */
export interface RegistryState extends Interruptible {
  target: Target;
  /**
   * toRegistryObjects(): what the registry is to hold, row by row. No secret is in here, only the
   * names of the files that hold them.
   */
  objects: RegistryObjects;
  /** Accounts by name, each with its own address first. Never destroyed by a deploy. */
  accounts: Record<string, AccountState>;
  /** Groups by name, each with its own address first. Never destroyed by a deploy. */
  groups?: Groups;
  /**
   * An output: the accounts whose password is the declared one, unless their owners have changed
   * it.
   */
  passwordsInForce?: string[];
  /**
   * Whether a first deploy may change and destroy what somebody else has set. No difference by
   * itself.
   */
  takeOver?: boolean;
  /** The account that the API is logged in to. Without it, it is somebody else's matter. */
  admin?: AdminState;
  /** Lessons whose guard is left out. In a lab alone. */
  withoutGuards?: LeftOut;
}
