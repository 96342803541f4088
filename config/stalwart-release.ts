import { type Line, lineOfImage } from "../lib/stalwart/release.ts";
import { keyPath, type Problem } from "./key-path.ts";
import type { Config } from "./schema.ts";

/** The part of the config that says which Stalwart runs. */
type Server = Pick<Config, "images" | "stalwart">;

/** The line of Stalwart that the stack runs: what `stalwart.line` says, else the image's tag. */
export const declaredLine = ({ images, stalwart }: Server): Line | undefined =>
  stalwart.line ?? lineOfImage(images.stalwart);

/**
 * Variables that are tailwart's to set or to leave out: the entrypoint's, the server's own, whose
 * STALWART_RECOVERY_ADMIN logs in on every listener, and those by which bash and the loader run
 * something else.
 */
const OWN_VARIABLE = /^(?:TAILWART_|STALWART_|BASH|LD_|SHELLOPTS$|IFS$|PATH$|HOME$|ENV$|PS4$|TMPDIR$)/;

/** What is wrong with the environment. */
export const environmentProblems = ({ stalwart: { env } }: Pick<Config, "stalwart">): Problem[] =>
  Object.keys(env)
    .filter((name) => OWN_VARIABLE.test(name))
    .map((name) => ({
      path: keyPath(["stalwart", "env", name]),
      message: "is no setting's: the entrypoint, the server or bash goes by it; accepts a name of its own",
      example: `MAIL_${name}`,
    }));

/**
 * What is wrong with the line: the image names another one, or none. What a line does not offer,
 * desired-state.ts says.
 */
export function lineProblems(config: Server): Problem[] {
  const tagged = lineOfImage(config.images.stalwart);
  const line = declaredLine(config);
  if (line === undefined)
    return [
      {
        path: "tailwart:stalwart.line",
        message:
          "is missing, and the tag of images.stalwart names no version: the lines differ in where their settings are kept; accepts the image's line",
        example: "0.15",
      },
    ];
  if (tagged === undefined || tagged === line) return [];
  return [
    {
      path: "tailwart:stalwart.line",
      message: `is ${line}, but the tag of images.stalwart says ${tagged}; accepts ${tagged} here, or nothing`,
      example: tagged,
    },
  ];
}
