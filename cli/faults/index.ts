import type { Fault } from "./fault.ts";

const none: Fault = {
  name: "none",
  what: "nothing happens",
  inject: () => Promise.resolve(),
};

/** Every fault, in the order in which they are run. */
export const FAULTS: readonly Fault[] = [none];
