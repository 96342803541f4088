import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";

/** A top-level domain that nobody can register or resolve (RFC 6761 §6.2). */
const LAB_DOMAIN = /\.test$/i;

/** Guards may be left out in a lab alone: a stack all of whose names are ones no real stack has. */
export function guardProblems({
  withoutGuards,
  mailHost,
  domains,
}: Pick<Config, "withoutGuards" | "mailHost" | "domains">): Problem[] {
  if (Object.keys(withoutGuards).length === 0) return [];
  const real = [mailHost, ...domains.map(({ name }) => name)].find((name) => !LAB_DOMAIN.test(name));
  if (real === undefined) return [];
  return [
    {
      path: keyPath(["withoutGuards"]),
      message: `leaves guards out, and ${real} may be real; accepted in a lab alone, whose mailHost and domains all end in .test: leave it out`,
    },
  ];
}
