import { ApiError } from "./api-error.ts";

/** The real service's longest and default lifetime of a login key. Seconds. */
const LONGEST_EXPIRY = 90 * 24 * 3600;
const LONGEST_DESCRIPTION = 50;

/** The request body of POST and PUT; everything in it comes from outside. */
export interface KeyRequest {
  keyType?: unknown;
  description?: unknown;
  expirySeconds?: unknown;
  capabilities?: {
    devices?: {
      create?: { reusable?: unknown; ephemeral?: unknown; preauthorized?: unknown; tags?: unknown };
    };
  };
  scopes?: unknown;
  tags?: unknown;
}

/** A list of strings, or the 400 that names the field. */
export function stringList(value: unknown, name: string): string[] {
  // Go clients send null for an empty list.
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
    throw new ApiError(400, `${name} must be a list of strings`);
  return value;
}

/** A description as the real service takes it. */
export function descriptionOf(value: unknown): string {
  const text = value ?? "";
  if (typeof text !== "string" || text.length > LONGEST_DESCRIPTION || !/^[a-zA-Z0-9 _-]*$/.test(text)) {
    throw new ApiError(
      400,
      `description must be at most ${LONGEST_DESCRIPTION} letters, digits, hyphens or spaces`,
    );
  }
  return text;
}

/** A lifetime in seconds; left out or 0 is the longest. */
export function expiryOf(value: unknown): number {
  if (value === undefined || value === null || value === 0) return LONGEST_EXPIRY;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > LONGEST_EXPIRY) {
    throw new ApiError(400, `expirySeconds must be between 1 and ${LONGEST_EXPIRY}`);
  }
  return value;
}
