/**
 * How the provider reaches Stalwart: through a pipe into its own container. So the admin API needs
 * no public port and no tunnel, and it works over an ssh:// Docker host as well.
 */
import type { Duplex } from "node:stream";

import { type CommandResult, runCommand } from "../../lib/run-command.ts";
import { API_LOGIN } from "../../lib/stalwart/paths.ts";
import { type Answer, HttpOverPipe, type Question } from "./http.ts";
import { type Command, type Destination, openPipe, pumpTo } from "./pipe.ts";
import type { Target } from "./state.ts";

/** A message takes some fifteen lines; a probe's are looked for while others are delivered. */
const LOG_LINES = "1000";

/** What became of the container. */
export interface ContainerState {
  exists: boolean;
  running: boolean;
  /** Its last lines of log, newest last. */
  log: string;
}

export interface Transport {
  /** How errors call the server, such as `container stalwart on ssh://root@kvm`. */
  readonly name: string;
  /**
   * One request of its API, with the admin's login. @throws UnreachableError when nothing answers
   */
  ask(question: Question): Promise<Answer>;
  /**
   * A connection to one of its other ports, and what it can be logged in with.
   *
   * @throws UnreachableError when nothing answers
   */
  connect(to: Destination, deadline: number): Promise<Duplex & { readonly login: string }>;
  /** Restarts the server, and returns once the restart is under way. */
  restart(deadline: number): Promise<CommandResult>;
  inspect(deadline: number): Promise<ContainerState>;
}

/** What differs between a container and, in tests, a server on this machine. */
export interface PipeOptions extends Pick<Transport, "name" | "restart" | "inspect"> {
  /** The command that runs another one beside the server. */
  beside(command: Command): Command;
  /** File beside the server that holds `user:password`. */
  loginFile: string;
  /** Environment of that command. Default: this process's own */
  env?: NodeJS.ProcessEnv;
}

/** A transport whose API and connections go through pipes. */
export function pipeTransport({ beside, loginFile, env, ...rest }: PipeOptions): Transport {
  const open = (to: Destination, signal: AbortSignal) => openPipe(beside(pumpTo(to, loginFile)), signal, env);
  const http = new HttpOverPipe(open);
  return {
    ...rest,
    ask: (question) => http.ask(question),
    connect: (to, deadline) => open(to, AbortSignal.timeout(deadline)),
    restart(deadline) {
      // What is sent to a server that is going down may be lost.
      http.close();
      return rest.restart(deadline);
    },
  };
}

/**
 * The transport through a Docker daemon.
 *
 * @param dockerHost as DOCKER_HOST has it: `ssh://root@kvm.example.org` or
 *   `unix:///run/docker.sock`
 * @param container Stalwart's container, by name or id
 */
export function dockerTransport(dockerHost: string, container: string): Transport {
  const docker = (args: string[], deadline: number) =>
    runCommand("docker", ["--host", dockerHost, ...args], { deadline });
  return pipeTransport({
    name: `container ${container} on ${dockerHost}`,
    loginFile: API_LOGIN,
    beside: (command) => ["docker", "--host", dockerHost, "exec", "-i", container, ...command],
    restart: (deadline) => docker(["restart", "--time", "30", container], deadline),
    async inspect(deadline) {
      const state = await docker(
        ["container", "inspect", "--format", "{{.State.Running}}", container],
        deadline,
      );
      if (state.status !== 0) {
        if (/no such container/i.test(state.stderr)) return { exists: false, running: false, log: "" };
        throw new Error(`docker --host ${dockerHost} does not answer: ${state.stderr.trim() || "no output"}`);
      }
      const log = await docker(["logs", "--tail", LOG_LINES, container], deadline);
      return { exists: true, running: state.stdout.trim() === "true", log: log.stdout + log.stderr };
    },
  });
}

/** How the server is reached; tests put another in its place. */
export type TransportFactory = (target: Target) => Transport;

export const viaDocker: TransportFactory = (target) => dockerTransport(target.dockerHost, target.container);
