/**
 * A name and those above it, the nearest first.
 *
 * @example upwards("a.b.org") // ["a.b.org", "b.org", "org"]
 */
export function upwards(name: string): string[] {
  const labels = name.split(".");
  return labels.map((_, i) => labels.slice(i).join("."));
}

/**
 * The longest of some domains that holds a name.
 *
 * @example nearest("a.b.org", new Set(["b.org"])) === "b.org"
 */
export const nearest = (name: string, domains: { has(name: string): boolean }): string | undefined =>
  upwards(name).find((each) => domains.has(each));
