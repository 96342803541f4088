import type { RegistryObjects } from "../../lib/settings/registry.ts";
import type { Interruptible, SettingsState } from "../state.ts";

/** The properties of `tailwart:mail:Registry`, in the program, in the state and between engine and provider. */
export interface RegistryState extends Interruptible {
  target: SettingsState["target"];
  /** toRegistryObjects(): what the registry is to hold, row by row. No secret is in here, only the names of the files that hold them. */
  objects: RegistryObjects;
}
