/** Which program of a script writes Stalwart's routes, and to which API. */
import { OPEN } from "../command-scripts.ts";
import type { Run } from "../shell/output.ts";

/** A route or a strategy, as the 0.15 line and the registry (0.16 and later) call them. */
export const ROUTING = /\bqueue\.(?:route|strategy)\b|\bMta(?:Route|OutboundStrategy)\b/;

/** "maybe" where what is sent, or where to, is only known when the script runs. */
export type RouteWrite = "no" | "maybe" | "keys" | "registry";

const HTTP_CLIENT = /^(?:curl|curlie|wget|https?|xhs?)$/;
const HTTPIE = /^(?:https?|xhs?|curlie)$/;
const SETTINGS_API = /\/api\/settings\b/;
const REGISTRY_API = /\/jmap\b/;
/** What a request to /jmap does is in its body. */
const REGISTRY_SET = /\bx:Mta(?:Route|OutboundStrategy)\/set\b/;
const METHOD = /^(?:-\w*X|--request=?|--method=?)?(?:POST|PUT|PATCH|DELETE)$/i;
const READING_METHOD = /^(?:-\w*X|--request=?|--method=?)?(?:GET|HEAD)$|^(?:-\w*G|--get)$/;
const BODY =
  /^(?:-\w*[dTF]|--data[\w-]*|--json|--upload-file|--form|--(?:post|body)-(?:data|file)|--raw)(?:=|$)|^-d./s;
/** HTTPie takes `name=value`, `name:=json` and `name@file` for a body, and whatever is piped. */
const FIELD = /^[\w.[\]-]+(?::?=@?|@)./s;
const CLI_VERB = /^(?:apply|create|update|delete|destroy|upsert|reconcile)$/;
const BODY_FROM_INPUT = /^(?:-|@-|--stdin|@?\/dev\/stdin|--(?:post|body)-file=-)$|=@-$/;

/**
 * @param everything all texts of the script: where the data come from elsewhere, what the script
 *   says of routes is taken for them
 */
export function routeWriteOf(run: Run, everything: string): RouteWrite {
  const [program = "", ...args] = run.words;
  if (program === "stalwart-cli") return writeOfCli(args, run.input, everything);
  return HTTP_CLIENT.test(program) ? writeOfRequest(program, args, run.input, everything) : "no";
}

function writeOfCli(args: readonly string[], input: string, everything: string): RouteWrite {
  if (args.some((arg) => /^--dry-run(?:=true)?$/.test(arg))) return "no";
  const at = args.findIndex((arg) => CLI_VERB.test(arg) || /^(?:add|delete)-config$/.test(arg));
  if (at < 0)
    return args.length > 0 && args.every((arg) => !arg.includes(OPEN)) ? "no" : maybe(args, everything);
  const verb = args[at] as string;
  const rest = args.slice(at + 1);
  if (/config$/.test(verb)) return sends(rest.join(" "), ROUTING, "keys", everything);
  if (verb !== "apply") {
    // What is written is the object that follows, options aside.
    const object = rest.find((arg) => /^[A-Z\0]/.test(arg)) ?? rest.join(" ");
    return sends(object, ROUTING, "registry", everything);
  }
  return sends(planOf(rest, input), ROUTING, "registry", everything);
}

/** What `apply` is given: its input, or a file, whose content stands behind its name if known. */
function planOf(args: readonly string[], input: string): string {
  const at = args.findIndex((arg) => /^(?:--file|-f)(?:=|$)/.test(arg));
  if (at < 0) return input;
  const [, file = args[at + 1] ?? ""] = /=(.*)$/s.exec(args[at] ?? "") ?? [];
  if (BODY_FROM_INPUT.test(file)) return input;
  return /\s/.test(file) ? file : OPEN;
}

const maybe = (args: readonly string[], everything: string): RouteWrite =>
  args.length > 0 && ROUTING.test(everything) ? "maybe" : "no";

function writeOfRequest(
  program: string,
  args: readonly string[],
  input: string,
  everything: string,
): RouteWrite {
  const isReading = args.some((arg) => READING_METHOD.test(arg));
  const piped = HTTPIE.test(program) && (input !== "" || args.some((arg) => FIELD.test(arg)));
  const isWriting =
    args.some((arg) => METHOD.test(arg)) || (!isReading && (piped || args.some((arg) => BODY.test(arg))));
  if (!isWriting) return "no";
  const takesInput = piped || args.some((arg) => BODY_FROM_INPUT.test(arg));
  const data = [
    ...args.filter((_, index) => !isBeside(args, index)).map(withoutServer),
    takesInput ? input : "",
  ].join(" ");
  if (args.some((arg) => REGISTRY_API.test(arg))) return sends(data, REGISTRY_SET, "registry", everything);
  if (args.some((arg) => SETTINGS_API.test(arg))) return sends(data, ROUTING, "keys", everything);
  const unread = args.some((arg) => arg === OPEN || arg.endsWith(`/${OPEN}`));
  return unread && ROUTING.test(data) ? "maybe" : "no";
}

/** Options whose values are no part of what is sent: who asks, and where the answer goes. */
const BESIDE = /^(?:-\w*[uHoaAwb]|--(?:user|header|auth|auth-type|output|write-out|cookie|cacert|password))$/;
const isBeside = (args: readonly string[], index: number): boolean =>
  BESIDE.test(args[index - 1] ?? "") || /^--(?:user|header|auth|password)=/.test(args[index] ?? "");

const withoutServer = (arg: string): string => arg.replace(/^[^{[]*?(?=\/(?:api|jmap)\b)/s, "");

function sends(data: string, shape: RegExp, api: "keys" | "registry", everything: string): RouteWrite {
  if (shape.test(data)) return api;
  if (!data.includes(OPEN)) return "no";
  return shape.test(everything) ? api : "maybe";
}
