/**
 * How the provider reaches Stalwart: curl inside Stalwart's own container. So the admin API needs no public port and no tunnel, it works over an
 * ssh:// Docker host as well, and the password is read by curl from a file there: it is in no argument list and never in this process.
 */
import { type CommandResult, runCommand } from "../lib/run-command.ts";
import { API_CURLRC } from "../lib/stalwart/paths.ts";

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
  /** Runs curl beside the server; the transport adds the credentials. `stdin` is for bodies and messages. */
  curl(args: string[], stdin: string | undefined, deadline: number): Promise<CommandResult>;
  /** Restarts the server, and returns once the restart is under way. */
  restart(deadline: number): Promise<CommandResult>;
  inspect(deadline: number): Promise<ContainerState>;
}

/**
 * The transport through a Docker daemon.
 *
 * @param dockerHost as DOCKER_HOST has it: `ssh://root@kvm.example.org` or `unix:///run/docker.sock`
 * @param container Stalwart's container, by name or id
 */
export function dockerTransport(dockerHost: string, container: string): Transport {
  const docker = (args: string[], stdin: string | undefined, deadline: number) =>
    runCommand("docker", ["--host", dockerHost, ...args], { stdin, deadline });
  return {
    name: `container ${container} on ${dockerHost}`,
    curl: (args, stdin, deadline) =>
      docker(["exec", "-i", container, "curl", "--config", API_CURLRC, ...args], stdin, deadline),
    restart: (deadline) => docker(["restart", "--time", "30", container], undefined, deadline),
    async inspect(deadline) {
      const format = "{{.State.Running}}";
      const state = await docker(
        ["container", "inspect", "--format", format, container],
        undefined,
        deadline,
      );
      if (state.status !== 0) {
        if (/no such container/i.test(state.stderr)) return { exists: false, running: false, log: "" };
        throw new Error(`docker --host ${dockerHost} does not answer: ${state.stderr.trim() || "no output"}`);
      }
      const log = await docker(["logs", "--tail", LOG_LINES, container], undefined, deadline);
      return { exists: true, running: state.stdout.trim() === "true", log: log.stdout + log.stderr };
    },
  };
}
