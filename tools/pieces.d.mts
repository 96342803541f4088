import type { Found, Piece } from "./ensure.d.mts";

export function find(piece: Piece, root?: string): Found | undefined;
export function provide(
  piece: Piece,
  options?: { root?: string; title?: string; tools?: Record<string, string>; again?: string },
): Promise<Found>;
export function pluginFolder(piece: Piece): string;
