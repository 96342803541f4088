import { spawn } from "node:child_process";

/** What a command in a container said. */
export interface Outcome {
  /** Exit code; 124 when the deadline passed. */
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs the docker CLI against one daemon, over its unix socket or ssh.
 *
 * @param seconds deadline after which the CLI is ended
 */
export function docker(host: string, args: string[], seconds: number, input = ""): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn("docker", ["--host", host, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, seconds * 1000);
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on("error", () => undefined); // the command may end before it has read everything
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: late ? 124 : (code ?? 1), stdout, stderr });
    });
    child.stdin.end(input);
  });
}

/** Runs a shell line in a container. */
export function inContainer(
  host: string,
  container: string,
  line: string,
  seconds: number,
): Promise<Outcome> {
  return docker(host, ["exec", container, "sh", "-c", line], seconds);
}
