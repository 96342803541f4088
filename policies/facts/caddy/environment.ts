import type { PolicyResource } from "../../framework/policy.ts";
import { read, readString } from "../../framework/values.ts";
import { CONTAINER, environmentOf, type Environment } from "../docker/containers.ts";

/** Placeholders of the Caddyfile adapter, with a default or without one. */
const BY_ADAPTER = /\{\$([^\s{}:]+)(?::([^{}\n]*))?\}/g;
/** The one of a running Caddy whose value the container's environment has. */
const AT_START = /\{env\.([^\s{}]+)\}/g;
/** What addresses and names consist of, so that it can stand in any place of any text. */
const PLAIN = /^[\w.:*/[\], -]*$/;

/** The environment in which a resource's Caddy reads its config, as far as the resource says it. */
export function environmentOfCaddy(resource: PolicyResource): Environment {
  if (resource.type === CONTAINER) return environmentOf(resource);
  const { value } = read(resource.props, "environment") as { value?: unknown };
  const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const values = names.flatMap((name): [string, string][] => {
    const text = readString(value, [name]).value;
    return text === undefined ? [] : [[name, text]];
  });
  return { values: new Map(values), incomplete: false };
}

/**
 * Fills in what stands for a variable of the environment, as Caddy does before it takes the text
 * apart. One that is not set has its default; one without a default may be set by the image, or on
 * the machine, and stays as it is.
 */
export function fillIn(text: string, { values, incomplete }: Environment): string {
  // A Caddyfile may have whole lines in a variable; in JSON they would end the string.
  const isJson = /^\s*(?:\{\s*"|\[\s*["{[])/.test(text);
  const fits = (value: string | undefined): value is string =>
    value !== undefined && (!isJson || PLAIN.test(value));
  return text
    .replace(BY_ADAPTER, (_, name: string, fallback?: string) => {
      const value = values.get(name) ?? (incomplete ? undefined : fallback);
      return fits(value) ? value : `{$${name}}`;
    })
    .replace(AT_START, (whole, name: string) => {
      const value = values.get(name);
      return value !== undefined && PLAIN.test(value) ? value : whole;
    });
}
