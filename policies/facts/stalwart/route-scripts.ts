/**
 * Scripts that write Stalwart's routes past tailwart's settings resource, and what of them makes
 * the routes live. Scripts are not interpreted: words are searched for, outside of comments.
 */
import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, read, readString, walk } from "../../framework/values.ts";

/** A route or a strategy, as the 0.15 line and the registry (0.16 and later) call them. */
export const ROUTING = /\bqueue\.(?:route|strategy)\b|\bMta(?:Route|OutboundStrategy)\b/;

const HTTP_WRITE =
  /(?:\b|-X)(?:POST|PUT|PATCH|DELETE)\b|(?:^|\s)(?:-d|-T|--data[\w-]*|--json|--upload-file|--post-(?:data|file))(?=[\s='"@]|$)|\.post\(/m;
const OLD_HTTP = /\/api\/settings\b/g;
const OLD_CLI = /\bstalwart-cli\b[^\n;&|]*\b(?:add|delete)-config\b/g;
const NEW_HTTP = /\/jmap\b/g;
const NEW_CLI =
  /\bstalwart-cli\b[^\n;&|]*\b(?:apply|create|update|delete|destroy|upsert|reconcile)(?![\w-])/g;
/** What a request to /jmap does is in its body. */
const NEW_SET = /\bx:Mta(?:Route|OutboundStrategy)\/set\b/;
const RELOAD = /\/api\/reload(?![/\w-])(?!\?dry-run)|\bstalwart-cli\b[^\n;&|]*\breload-config\b/g;
const RESTART =
  /\b(?:docker|podman|nerdctl|systemctl|kubectl|service|rc-service)\b[^\n;&|]*(?<![-\w])(?:re)?start(?![-\w=])|--force-recreate\b/g;

/** What one run of a command does: on create, or on update where that is another script. */
export interface Script {
  readonly phase: "create" | "update";
  readonly text: string;
  /** Inputs of it that are unknown at preview. */
  readonly gaps: readonly string[];
}

export const isCommand = (resource: PolicyResource): boolean =>
  /^command:(?:local|remote):Command$/.test(resource.type);

/** Long command lines go on in the next one after a backslash. */
const withoutComments = (text: string): string =>
  text.replace(/^[ \t]*#.*$|[ \t]#[ \t].*$/gm, "").replace(/\\\r?\n[ \t]*/g, " ");

/** A command's scripts: the command line last, since it runs what environment and stdin hold. */
export function scriptsOf({ props }: PolicyResource): Script[] {
  const before: string[] = [];
  const gaps: string[] = [];
  for (const input of ["stdin", "environment"]) {
    const value = read(props, input);
    if (!value.known) gaps.push(input);
    else {
      const { leaves, gaps: inner } = walk([value.value]);
      before.push(...leaves.map((leaf) => String(leaf.value)));
      gaps.push(...inner.map(({ path }) => formatPath([input, ...path.slice(1)])));
    }
  }
  return (["create", "update"] as const).flatMap((phase) => {
    const line = readString(props, [phase]);
    if (line.known && line.value === undefined) return [];
    const text = [...before, line.value ?? ""].map(withoutComments).join("\n");
    return [{ phase, text, gaps: line.known ? gaps : [...gaps, phase] }];
  });
}

const lastOf = (pattern: RegExp, text: string): number =>
  Math.max(-1, ...[...text.matchAll(pattern)].map((match) => match.index));

/** Whether a script writes routes, and to which API; "maybe" where an input is unknown. */
export function writesRoutes({ text, gaps }: Script): "no" | "maybe" | "keys" | "registry" {
  const has = (pattern: RegExp): boolean => lastOf(pattern, text) >= 0;
  const old = has(OLD_CLI) || (has(OLD_HTTP) && HTTP_WRITE.test(text));
  const registry = has(NEW_CLI) || has(NEW_HTTP);
  if (!old && !registry) return "no";
  if (has(NEW_CLI) ? ROUTING.test(text) : registry && NEW_SET.test(text)) return "registry";
  if (old && ROUTING.test(text)) return "keys";
  return gaps.length > 0 ? "maybe" : "no";
}

/** Whether a script makes routes live, after it has written them if it writes any. */
export function makesLive({ text }: Script, generation: "keys" | "registry"): boolean {
  const written = Math.max(...[OLD_CLI, OLD_HTTP, NEW_CLI, NEW_HTTP].map((channel) => lastOf(channel, text)));
  const reloaded = generation === "keys" ? lastOf(RELOAD, text) : -1;
  return Math.max(reloaded, lastOf(RESTART, text)) > written;
}
