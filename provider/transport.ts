/**
 * How the provider reaches Stalwart: curl inside Stalwart's own container. So the admin API needs no public port and no tunnel, it works over an
 * ssh:// Docker host as well, and the password is read by curl from a file there: it is in no argument list and never in this process.
 */
import { spawn } from "node:child_process";

/** Curl's config file in the container: one line, `user = "admin:password"`. */
export const API_CURLRC = "/etc/stalwart/secrets/api.curlrc";

export interface CommandResult {
  /** Exit status; 124 when the deadline passed. */
  status: number;
  stdout: string;
  stderr: string;
}

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
  /** Runs curl beside the server; the transport adds the credentials. `stdin` is for bodies. */
  curl(args: string[], stdin: string | undefined, deadline: number): Promise<CommandResult>;
  /** Restarts the server, and returns once the restart is under way. */
  restart(deadline: number): Promise<CommandResult>;
  inspect(deadline: number): Promise<ContainerState>;
}

/**
 * Runs a command without a shell.
 *
 * @param deadline milliseconds; the command is killed when they are over
 */
export function runCommand(
  command: string,
  args: string[],
  stdin: string | undefined,
  deadline: number,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      child.kill("SIGKILL");
    }, deadline);
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    child.stdin.on("error", () => undefined); // a command that ends early does not read its input
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ status: 127, stdout, stderr: `${command}: ${error.message}` });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ status: expired ? 124 : (code ?? 1), stdout, stderr });
    });
    child.stdin.end(stdin ?? "");
  });
}

/**
 * The transport through a Docker daemon.
 *
 * @param dockerHost as DOCKER_HOST has it: `ssh://root@kvm.example.org` or `unix:///run/docker.sock`
 * @param container Stalwart's container, by name or id
 */
export function dockerTransport(dockerHost: string, container: string): Transport {
  const docker = (args: string[], stdin: string | undefined, deadline: number) =>
    runCommand("docker", ["--host", dockerHost, ...args], stdin, deadline);
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
      const log = await docker(["logs", "--tail", "40", container], undefined, deadline);
      return { exists: true, running: state.stdout.trim() === "true", log: log.stdout + log.stderr };
    },
  };
}
