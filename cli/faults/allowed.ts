import type { Allowance } from "./logs.ts";

/** What a stack that is well writes in the lab. */
export const NORMAL: readonly Allowance[] = [
  {
    of: "sidecar",
    line: /netcheck: UDP is blocked/,
    why: "the lab's DERP server has no STUN, which netcheck asks for; nodes find each other by disco",
  },
];
