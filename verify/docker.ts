import { type CommandResult, runCommand } from "../lib/run-command.ts";

/**
 * Runs the docker CLI against one daemon, over its unix socket or ssh.
 *
 * @param host as DOCKER_HOST has it: `ssh://root@kvm.example.org` or `unix:///run/docker.sock`
 * @param seconds deadline after which the CLI is ended
 * @param stdin given to its standard input: the way for secrets
 */
export function docker(
  host: string,
  args: string[],
  seconds: number,
  stdin?: string,
): Promise<CommandResult> {
  return runCommand("docker", ["--host", host, ...args], { deadline: seconds * 1000, stdin });
}

/** Runs a shell line in a container. */
export function inContainer(
  host: string,
  container: string,
  line: string,
  seconds: number,
): Promise<CommandResult> {
  return docker(host, ["exec", container, "sh", "-c", line], seconds);
}
