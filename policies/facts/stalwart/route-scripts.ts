/**
 * Scripts that write Stalwart's routes past tailwart's settings resource, and what of them makes
 * the routes live.
 */
import type { Script } from "../command-scripts.ts";
import { OPEN } from "../command-scripts.ts";
import type { Run } from "../shell/output.ts";
import { runsOf } from "../shell/run.ts";
import { RUNS_TEXT } from "../shell/wrappers.ts";
import { ROUTING, routeWriteOf, type RouteWrite } from "./route-writes.ts";
import { restartOf, type Containers } from "./server-restarts.ts";

/** What a script does for Stalwart's routes. */
export interface Effect {
  readonly writes: RouteWrite;
  /** Whether its routes are live in the end; also of a script that writes none. */
  readonly live: (api: "keys" | "registry") => "yes" | "no" | "maybe";
}

const API = /\/api\/settings\b|\/jmap\b/;
/** Programs that do what is written in a file of theirs. */
const RUNNER = /^(?:make|just|task|npm|yarn|pnpm|ansible(?:-playbook)?|pwsh|powershell|cmd)$/;
/** A script beside the program, or one that was installed by hand. */
const SCRIPT_FILE = /^\.{0,2}\/(?!usr\/|s?bin\/|etc\/init\.d\/)/;

/** Whether what a program does is written in a file, or in a value, that is not known here. */
function isUnread({ words: [name = ""], program }: Run): boolean {
  return program.includes(OPEN) || RUNS_TEXT.test(name) || RUNNER.test(name) || SCRIPT_FILE.test(program);
}

/** Whether a program whose doings cannot be read is about Stalwart, by its name or its file's. */
function isAboutStalwart({ program, words: [, ...args] }: Run): boolean {
  const file = args.find((arg) => !arg.startsWith("-")) ?? "";
  return /stalwart/i.test(`${program} ${file}`) || args.some((arg) => API.test(arg));
}

/** A reload makes routes live on the 0.15 line: one of all, not of certificates, not for show. */
function reloads({ words: [program = "", ...args] }: Run): boolean {
  if (program === "stalwart-cli") return args.includes("reload-config");
  return args.some((arg) => /\/api\/reload(?![/\w-])(?!\?dry-run)/.test(arg));
}

/** Follows a script. */
export function effectOf(script: Script, containers: Containers): Effect {
  const runs = runsOf(script.words, { variables: script.variables, input: script.stdin });
  const mayWrite = API.test(script.text) || ROUTING.test(script.text);
  if (!runs) return { writes: mayWrite ? "maybe" : "no", live: () => "maybe" };
  const writes = runs.map((run) => {
    const write = routeWriteOf(run, script.text);
    if (write !== "no") return write;
    return isUnread(run) && (isAboutStalwart(run) || ROUTING.test(script.text)) ? "unread" : "no";
  });
  const written = writes.findLastIndex((write) => write !== "no" && write !== "unread");
  const unread = writes.includes("unread") || (script.gaps.includes(script.phase) && mayWrite);
  const found = writes[written];
  const behind = runs.slice(written + 1);
  const acts = runs.map((run) => restartOf(run, containers));
  const started = acts.lastIndexOf("start");
  const isAnew = started > written && acts.slice(0, started).includes("stop");
  return {
    writes: found === undefined || found === "unread" ? (unread ? "maybe" : "no") : found,
    live: (api) => {
      const later = acts.slice(written + 1);
      if (later.includes("restart") || isAnew) return "yes";
      if (api === "keys" && behind.some(reloads)) return "yes";
      return later.includes("maybe") || behind.some(isUnread) ? "maybe" : "no";
    },
  };
}
