import { spawn } from "node:child_process";
import { once } from "node:events";

import { inNetns, SYSTEM_ENV } from "./run.ts";
import type { Machine } from "./topology.ts";

/** Takes connections and says nothing. */
export const MUTE = "() => undefined";

/** SMTP that takes a message up to its recipient, and answers that with this line. */
export const refusing = (answer: string): string => `(socket) => {
  const says = (line) => socket.write(line + "\\r\\n");
  const to = { EHLO: "250 impostor", HELO: "250 impostor", RCPT: ${JSON.stringify(answer)}, DATA: "503 5.5.1 no recipient", QUIT: "221 2.0.0 bye" };
  says("220 impostor ESMTP");
  socket.setEncoding("utf8").on("error", () => undefined).on("data", (text) => {
    for (const line of text.split("\\r\\n").filter(Boolean)) says(to[line.slice(0, 4).toUpperCase()] ?? "250 2.0.0 ok");
  });
}`;

/** IMAP over TLS, up to the greeting. @param folder has key.pem and cert.pem */
export const imaps = (folder: string): string => `(socket) => {
  const read = (name) => require("fs").readFileSync(${JSON.stringify(folder)} + "/" + name);
  const options = { isServer: true, key: read("key.pem"), cert: read("cert.pem") };
  const line = new (require("tls").TLSSocket)(socket, options);
  line.on("error", () => undefined).write("* OK impostor\\r\\n");
}`;

/**
 * Puts a program in the place of a server, which must have left the port.
 *
 * @param answer what it does with a connection, as an expression of JavaScript's
 * @returns how to end it; it also ends with the process that has started it
 */
export async function startImpostor(
  machine: Machine,
  port: number,
  answer: string,
): Promise<() => Promise<void>> {
  const script = `process.stdin.on("close", () => process.exit()).resume();
    require("net").createServer(${answer}).listen(${port}, () => console.log("listens"))`;
  const [program, ...args] = inNetns(machine.netns, [process.execPath, "-e", script]);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], env: SYSTEM_ENV });
  const ended = once(child, "exit");
  const first = await Promise.race([once(child.stdout, "data"), ended.then(() => undefined)]);
  if (!first) throw new Error(`${machine.name}: nothing could be put in the place of :${port}`);
  return async () => {
    child.kill("SIGKILL");
    await ended;
  };
}
