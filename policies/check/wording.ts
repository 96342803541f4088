import type { Finding } from "../framework/policy.ts";
import type { Source } from "./resource.ts";

/** What the rules advise in Pulumi's words, and how the same is written in a compose file. */
const IN_COMPOSE: readonly (readonly [pulumi: RegExp, compose: string])[] = [
  [
    /`container:\$\{anchor\.id\}` with the id of the container that is labelled tailwart\.role=anchor/g,
    "`network_mode: service:<anchor>`, the same for both: a service that does nothing but hold the namespace (its image may be a pause image), and never restarts by itself",
  ],
  [
    /a secret of the stack \(`pulumi config set --secret`, pulumi\.secret\), or a reference to a file or variable, such as %\{file:\/run\/secrets\/name\}%/g,
    "`${NAME}` with the value in an env file that git ignores, or a file under `secrets:`; and roll the old one, which is in the history",
  ],
  [
    /^joins a container by (?:its name|an id that does not come from the anchor)$/,
    "joins the namespace of a service that has more to do, and is mute when that one is started again",
  ],
  [
    /^does not join the anchor's network namespace$/,
    "is no other service's, so what joins this namespace loses it when the service is started again",
  ],
  [
    /capabilities: \{ drops: \["ALL"\], adds: \[what it needs\] \}/g,
    "`cap_drop: [ALL]` and `cap_add: [what it needs]`",
  ],
  [/, or the imageId of a docker\.RemoteImage/g, ""],
];

/** A finding's words as they fit the file that it is in. */
export function inWordsOf(
  source: Source | undefined,
  { what, instead }: Pick<Finding, "what" | "instead">,
): { readonly what: string; readonly instead: string } {
  if (source?.at.shown.startsWith("services.") !== true) return { what, instead };
  const words = (text: string) => IN_COMPOSE.reduce((all, [from, to]) => all.replace(from, to), text);
  return { what: words(what), instead: words(instead) };
}
