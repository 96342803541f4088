import { OPEN } from "../command-scripts.ts";

/** A program that a script runs, with what it is given. */
export interface Run {
  /** The program's name first, without its folder. */
  readonly words: readonly string[];
  /** The program as it is written. */
  readonly program: string;
  /** What it reads: a heredoc, a pipe or the script's own input. */
  readonly input: string;
}

/** Filters whose output has all that matters of their input. */
const PASSES_ON = /^(?:tee|envsubst|gomplate|sort|uniq|head|tail)$/;

const positionals = (args: readonly string[]): string[] => args.filter((arg) => !arg.startsWith("-"));

/**
 * What a program writes, as far as that follows from its words and its input.
 *
 * @param fileOf what a file holds
 */
export function writtenBy(words: readonly string[], input: string, fileOf: (name: string) => string): string {
  const [program = "", ...args] = words;
  const files = positionals(args);
  if (program === "echo" || program === "printf") return `${files.join(" ")}\n`;
  if (program === "cat") return files.length > 0 ? files.map(fileOf).join("") : input;
  if (PASSES_ON.test(program)) return input;
  if (program === "which" || program === "command" || program === "type") return files.at(-1) ?? OPEN;
  if (program === "base64" && args.some((arg) => /^(?:-\w*[dD]|--decode)$/.test(arg)))
    return (files.length > 0 ? files.map(fileOf) : [input]).map(fromBase64).join("");
  if (program === "jq" || program === "sed" || program === "tr") {
    // A filter may take anything away, and what it is told may be what it writes.
    const fromNothing = args.some((arg) => /^-\w*n|^--null-input$/.test(arg));
    return [...args, ...(fromNothing ? [] : [input, ...files.slice(1).map(fileOf)])].join(" ");
  }
  return containersOf(program, args) ?? OPEN;
}

const fromBase64 = (text: string): string =>
  text.includes(OPEN) ? OPEN : Buffer.from(text, "base64").toString("utf8");

/** The names by which `docker ps` was asked for containers; all of them without a filter. */
function containersOf(program: string, args: readonly string[]): string | undefined {
  if (!/^(?:docker|podman|nerdctl)(?:-compose)?$/.test(program) || !args.includes("ps")) return undefined;
  const names = args.flatMap((arg) => /^(?:--filter=|-f)?(?:name|ancestor|label)=(.*)$/.exec(arg)?.[1] ?? []);
  const services = positionals(args.slice(args.indexOf("ps") + 1)).filter((arg) => !arg.includes("="));
  return [...names, ...services].map((name) => name.replace(/[\^$]/g, "")).join(" ") || "stalwart";
}
