import { covers, parseRange, TAILNET_V4, TAILNET_V6 } from "../../lib/address-ranges.ts";
import { OWN_VARIABLES } from "../../lib/tailnet/own-variables.ts";
import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";

/** What is wrong with tags, operators and variables that are well-formed each. */
export function tailnetProblems({ tags, operators, env }: Config["tailnet"]): Problem[] {
  return [...equalTags(tags), ...openToAll(operators), ...ownVariables(env)];
}

/**
 * It would take the place of what tailwart sets, such as the login key or where the health is asked
 * for.
 */
function ownVariables(env: Config["tailnet"]["env"]): Problem[] {
  return Object.entries(OWN_VARIABLES)
    .filter(([name]) => name in env)
    .map(([name, why]) => ({
      path: keyPath(["tailnet", "env", name]),
      message: `is tailwart's to set: ${why}; accepts other variables of containerboot`,
      example: "TS_NO_LOGS_NO_SUPPORT",
    }));
}

/**
 * One tag for two kinds of node would give each the grants of the other: the relay could send PROXY
 * headers.
 */
function equalTags(tags: Config["tailnet"]["tags"]): Problem[] {
  const roles = Object.entries(tags);
  return roles.flatMap(([role, tag], index) => {
    const [twin] = roles.slice(0, index).find(([, other]) => other === tag) ?? [];
    return twin === undefined
      ? []
      : [
          {
            path: keyPath(["tailnet", "tags", role]),
            message: `is ${tag}, as tailnet.tags.${twin} is: each would be granted what only the other needs; accepts a tag of its own (a machine may carry several)`,
            example: `${tag}-${role}`,
          },
        ];
  });
}

/**
 * The admin listener is plain HTTP with a password: not for everybody's devices, guests' among
 * them.
 */
function openToAll(operators: readonly string[]): Problem[] {
  return operators.flatMap((operator, index) =>
    isEverybody(operator.trim())
      ? [
          {
            path: keyPath(["tailnet", "operators", index]),
            message: `is ${operator}, which opens Stalwart's admin listener to every node of the tailnet; accepts people, a group or a tag`,
            example: "autogroup:admin",
          },
        ]
      : [],
  );
}

function isEverybody(source: string): boolean {
  const range = parseRange(source);
  return (
    source === "*" ||
    source === "autogroup:danger-all" ||
    (range !== undefined && [TAILNET_V4, TAILNET_V6].some((tailnet) => covers(range, tailnet)))
  );
}
