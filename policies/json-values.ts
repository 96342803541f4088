import type { Path } from "./visit.ts";

export type Json = Record<string, unknown>;

/** Where a node of a config stands, for a reader. */
export type Place = (node: unknown, path: Path) => string;

export const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const record = (value: unknown): Json => (isRecord(value) ? value : {});
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const strings = (value: unknown): string[] =>
  list(value).filter((item): item is string => typeof item === "string");
