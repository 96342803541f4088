import type { Piece } from "./ensure.d.mts";

export const pieces: Piece[];
export const compilers: Record<"go" | "cargo", { atLeast: string; get: string }>;
/** Debian packages by what needs them. */
export const debian: Record<"stalwart" | "busybox" | "givenImages" | "lab" | "full", string[]>;
