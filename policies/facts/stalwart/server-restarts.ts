/** Which program of a script makes Stalwart start anew. */
import { OPEN } from "../command-scripts.ts";
import type { Run } from "../shell/output.ts";

/** The names of containers: the server's, and those of others in the same stack. */
export interface Containers {
  readonly servers: ReadonlySet<string>;
  readonly others: ReadonlySet<string>;
}

/** A stop and a start together are a restart; "maybe" where whose is only known when it runs. */
export type Restart = "no" | "maybe" | "stop" | "start" | "restart";

const CONTAINERS = /^(?:docker|podman|nerdctl)(?:-compose)?$/;
/** What runs beside a mail server, and whose restart changes nothing in it. */
const OTHER_PROGRAM =
  /caddy|traefik|nginx|haproxy|postgres|mysql|mariadb|redis|valkey|tailscale|headscale|rspamd|clamav|roundcube|snappymail|prometheus|grafana|loki|minio|postfix|dovecot|unbound|resolved/i;
/** Options of docker and compose that have a value of their own. */
const VALUED =
  /^(?:-[fptHsc]|--(?:file|project-name|project-directory|context|host|time|timeout|signal|env-file|profile|namespace|name|scale))$/;

/** @returns what a program does to the server, if the names it is given are the server's */
export function restartOf({ words }: Run, containers: Containers): Restart {
  const [program = "", ...args] = words;
  const [act, targets] = actOf(program, args);
  if (targets.length === 0) return act;
  const about = targets.flatMap((target) => target.split(/\s+/)).map((name) => isServer(name, containers));
  if (about.includes("yes")) return act;
  return about.includes("maybe") ? "maybe" : "no";
}

/** Kinds of objects that stand before a name: `deploy/stalwart`, `stalwart.service`. */
const nameOf = (target: string): string => target.replace(/^.*\//, "").replace(/\.service$/, "");

function isServer(target: string, { servers, others }: Containers): "yes" | "no" | "maybe" {
  const name = nameOf(target);
  if (servers.has(name)) return "yes";
  if (name.includes(OPEN)) return "maybe";
  if (others.has(name)) return "no";
  return /stalwart/i.test(name) || !OTHER_PROGRAM.test(name) ? "yes" : "no";
}

type Act = readonly [Restart, readonly string[]];
const NOTHING: Act = ["no", []];

/** The words that are no options, and no values of options. */
function positionals(args: readonly string[]): string[] {
  return args.filter((arg, index) => !arg.startsWith("-") && !VALUED.test(args[index - 1] ?? ""));
}

function actOf(program: string, args: readonly string[]): Act {
  if (CONTAINERS.test(program)) return ofContainers(program, args);
  const names = positionals(args);
  const [verb = "", ...rest] = names;
  if (program === "systemctl") {
    if (/^(?:try-)?restart$|^condrestart$/.test(verb)) return ["restart", rest];
    if (/^(?:try-)?reload-or-restart$|^force-reload$/.test(verb)) return ["maybe", rest];
    return verb === "start" || verb === "stop" ? [verb, rest] : NOTHING;
  }
  if (/^(?:service|rc-service|sv|invoke-rc\.d|supervisorctl|s6-rc)$/.test(program)) {
    const isAct = (name: string): boolean => /^(?:(?:cond|try-?)?restart|start|stop)$/.test(name);
    const act = names.find(isAct) ?? "no";
    const others = names.filter((name) => !isAct(name));
    return [/restart/.test(act) ? "restart" : (act as "start" | "stop" | "no"), others];
  }
  // A script of init's has the service's name.
  if (/^(?:re)?start$|^stop$/.test(verb) && /stalwart/.test(program))
    return [verb as "start" | "stop" | "restart", []];
  if (program === "kubectl" || program === "oc") return ofKubernetes(args);
  if (program === "reboot" || (program === "shutdown" && args.includes("-r"))) return ["restart", []];
  if (program === "curl") return ofDockersApi(args);
  return NOTHING;
}

const COMPOSE = /^(?:up|down|restart|start|stop|kill|create|rm|run)$/;

function ofContainers(program: string, args: readonly string[]): Act {
  const at = args.findIndex((arg) => arg === "compose");
  if (at >= 0 || program.endsWith("-compose")) return ofCompose(args.slice(at + 1));
  const names = positionals(args);
  const [group = "", ...behind] = names;
  if (group === "service") return args.includes("--force") ? ["restart", names.slice(2)] : NOTHING;
  const [verb = "", ...rest] = /^(?:container|pod)$/.test(group) ? behind : names;
  if (verb === "restart" || verb === "start" || verb === "stop") return [verb, rest];
  if (verb === "kill") return signals(args) ? NOTHING : ["stop", rest];
  if (verb === "rm") return ["stop", rest];
  if (verb !== "run") return NOTHING;
  const name = args.find((_, index) => args[index - 1] === "--name");
  const named = args.flatMap((arg) => /^--name=(.*)$/.exec(arg)?.[1] ?? []);
  return ["start", [name ?? named[0] ?? rest.join(" ")]];
}

/** A signal that is sent does not end the server: Stalwart reads SIGHUP and goes on. */
const signals = (args: readonly string[]): boolean =>
  args.some((arg) => /^(?:-s|--signal)(?:=|$)/.test(arg)) &&
  !args.some((arg) => /(?:SIG)?(?:KILL|TERM)$|^9$/.test(arg));

function ofCompose(args: readonly string[]): Act {
  const at = args.findIndex((arg) => COMPOSE.test(arg));
  const rest = positionals(args.slice(at + 1));
  switch (args[at]) {
    case "restart":
    case "start":
      return [args[at], rest];
    case "stop":
    case "down":
    case "rm":
      return ["stop", rest];
    case "kill":
      return signals(args) ? NOTHING : ["stop", rest];
    case "up":
      // Without it, compose leaves a container as it is whose service has not changed.
      return [
        args.some((arg) => /^--(?:force-recreate|always-recreate-deps)$/.test(arg)) ? "restart" : "start",
        rest,
      ];
    default:
      return NOTHING;
  }
}

function ofKubernetes(args: readonly string[]): Act {
  const names = positionals(args);
  const at = names.findIndex((name) => /^(?:rollout|delete|scale)$/.test(name));
  const rest = names
    .slice(at + 1)
    .filter((name) => !/^(?:restart|pods?|deploy(?:ment)?|statefulset|sts|ds)$/.test(name));
  const selectors = args.flatMap((arg) => /^--selector=(.*)$/.exec(arg)?.[1] ?? []);
  if (names[at] === "rollout") return names[at + 1] === "restart" ? ["restart", rest] : NOTHING;
  if (names[at] === "delete")
    return /^pods?\b/.test(names[at + 1] ?? "") ? ["restart", [...rest, ...selectors]] : NOTHING;
  if (names[at] === "scale")
    return [args.some((arg) => /^(?:--replicas=)?0$/.test(arg)) ? "stop" : "start", rest];
  return NOTHING;
}

/** `curl --unix-socket /var/run/docker.sock -X POST http://x/containers/stalwart/restart` */
function ofDockersApi(args: readonly string[]): Act {
  const [, name = "", verb] = args.flatMap(
    (arg) => /\/containers\/([^/]+)\/(restart|start|stop)\b/.exec(arg) ?? [],
  );
  return verb === undefined ? NOTHING : [verb as "restart" | "start" | "stop", [name]];
}
