import type { DoctorTarget } from "../../verify/doctor/target.ts";
import type { Looping } from "./loop.ts";

/** What cli/doctor/main.ts is told on its standard input. */
export interface DoctorOrder {
  target: DoctorTarget;
  /** Ids of the checks; what they need is asked as well. */
  only: readonly string[];
  json: boolean;
  color: boolean;
  /** Take a ban away, and do nothing else. */
  unban?: string | undefined;
  /** Look again and again. */
  loop?: Looping | undefined;
}
