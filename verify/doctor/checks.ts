import type { Check } from "../check.ts";
import { UP_CHECKS } from "../checks/index.ts";
import type { DoctorScene } from "./target.ts";

/** Every check there is, each behind what it needs. An `up` ends with those of UP_CHECKS. */
export const CHECKS: readonly Check<DoctorScene>[] = [...UP_CHECKS];
