import { spawn } from "node:child_process";
import { connect } from "node:net";
import { Duplex } from "node:stream";

/**
 * A connection from inside a container, by BusyBox' nc there: as it is seen from the namespace, or
 * from the edge. It ends when its stream is destroyed, and after a word that has no answer in time.
 *
 * @param dockerHost as DOCKER_HOST has it
 * @param patience in seconds
 */
export function dialFrom(
  dockerHost: string,
  container: string,
  host: string,
  port: number,
  patience = 10,
): Duplex {
  const nc = ["nc", "-w", String(patience), host, String(port)];
  const child = spawn("docker", ["--host", dockerHost, "exec", "-i", container, ...nc], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const { stdin, stdout, stderr } = child;
  let words = "";
  stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
  const line = Duplex.from({ readable: stdout, writable: stdin });
  child.on("error", (error) => line.destroy(error));
  child.on("close", () => {
    if (words.trim() !== "" && !line.destroyed) line.destroy(new Error(words.trim()));
  });
  line.on("close", () => child.kill("SIGKILL"));
  return line;
}

/** A connection from this machine. */
export const dial = (host: string, port: number): Duplex => connect({ host, port });
