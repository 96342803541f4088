import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pipeTransport, type Transport } from "../../provider/server/transport.ts";
import type { FakeRegistry } from "./fake-registry.ts";

/** What {@link fakeTransport} logs in with. */
export const LOGIN = "admin:admin-password";

const folder = mkdtempSync(join(tmpdir(), "tailwart-login-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const loginFile = join(folder, "api");
writeFileSync(loginFile, LOGIN);

/**
 * The way to a fake server on this machine: the real pipe, without a container.
 *
 * @param tools the only programs that the pipe's command may find; default: this process's own PATH
 */
export function fakeTransport(more: Partial<Transport> = {}, tools?: string): Transport {
  const done = () => Promise.resolve({ status: 0, stdout: "", stderr: "" });
  const inspect = () => Promise.resolve({ exists: true, running: true, log: "" });
  const env = tools === undefined ? {} : { env: { ...process.env, PATH: tools } };
  const pipes = pipeTransport({
    name: "container test",
    loginFile,
    beside: (command) => command,
    restart: more.restart ?? done,
    inspect: more.inspect ?? inspect,
    ...env,
  });
  return { ...pipes, ...more, restart: pipes.restart };
}

/** The way to the fake of the registry, and a restart that brings what is stored into force. */
export function registryTransport(fake: () => FakeRegistry): Transport {
  return fakeTransport({
    restart: () => {
      fake().restart();
      return Promise.resolve({ status: 0, stdout: "", stderr: "" });
    },
  });
}
