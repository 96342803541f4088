/** The namespace of tailwart's keys in Pulumi.<stack>.yaml. */
export const NAMESPACE = "tailwart";

/** What is wrong with a key. */
export interface Problem {
  /** As {@link keyPath} writes it. */
  path: string;
  message: string;
  example?: unknown;
}

/**
 * A key of the config as errors name it.
 * @example keyPath(["acme", 0, "names"]) === "tailwart:acme[0].names"
 */
export function keyPath(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>(
    (at, step) =>
      typeof step === "number" ? `${at}[${step}]` : at === "" ? String(step) : `${at}.${String(step)}`,
    "",
  );
  return `${NAMESPACE}:${text}`;
}
