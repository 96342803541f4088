import { generationOf, type Line, lineOfImage } from "../lib/stalwart/line.ts";
import type { Config } from "./schema.ts";

/** The part of the config that says which Stalwart runs. */
type Server = Pick<Config, "images" | "stalwart" | "accounts">;

/** The line of Stalwart that the stack runs: what `stalwart.line` says, else the image's tag. */
export const declaredLine = ({ images, stalwart }: Server): Line | undefined =>
  stalwart.line ?? lineOfImage(images.stalwart);

/** What is wrong with the line: an image that names another one or none, and what its generation does not offer. */
export function lineProblems(config: Server): { path: string; message: string; example: string }[] {
  const { images, accounts } = config;
  const tagged = lineOfImage(images.stalwart);
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
  const problems = [];
  if (tagged !== undefined && tagged !== line)
    problems.push({
      path: "tailwart:stalwart.line",
      message: `is ${line}, but the tag of images.stalwart says ${tagged}; accepts ${tagged} here, or nothing`,
      example: tagged,
    });
  if (generationOf(line) === "registry" && accounts.length > 0)
    problems.push({
      path: "tailwart:accounts",
      message: `are made by tailwart on the 0.15 line only; with Stalwart ${line} make them in its admin UI, and write an empty list here`,
      example: "[]",
    });
  return problems;
}
