import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll } from "vitest";

export const SCRIPT = fileURLToPath(new URL("../../../../lib/stalwart/entrypoint.sh", import.meta.url));
export const FAKE = fileURLToPath(new URL("./fake-stalwart.mjs", import.meta.url));

/** A folder for PATH: see inTheOfficialImage. */
export let officialPrograms: string;
/** Called after each test. */
export const cleanups: (() => void)[] = [];

/**
 * For each file of tests: there are the programs that the official images have beside the server,
 * bash and coreutils, and no curl, wget, nc or setpriv; and each test leaves nothing running.
 */
export function inTheOfficialImage(): void {
  beforeAll(() => {
    officialPrograms = mkdtempSync(join(tmpdir(), "tailwart-programs-"));
    for (const program of ["bash", "base64", "cat", "sleep", "timeout"])
      symlinkSync(join("/usr/bin", program), join(officialPrograms, program));
  });
  afterAll(() => rmSync(officialPrograms, { recursive: true }));
  afterEach(() => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  });
}

/**
 * A TCP server on loopback that answers the first bytes with `answer`; "" accepts and stays mute.
 */
export async function listen(
  answer: string,
  port = 0,
): Promise<{ port: number; requests: Buffer[]; server: Server }> {
  const requests: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      requests.push(data);
      if (answer) socket.write(answer);
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, requests, server };
}

/**
 * Below those that the kernel gives to whoever asks for any, and far from another worker's: nobody
 * else gets it meanwhile.
 */
let nextPort = 20_000 + ((process.pid * 211) % 9_000);
export async function freePort(): Promise<number> {
  for (;;) {
    try {
      const { port, server } = await listen("", nextPort++);
      server.close();
      await once(server, "close");
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
  }
}

export class Entrypoint {
  readonly process: ChildProcess;
  output = "";
  readonly exit: Promise<number | null>;
  constructor(env: Record<string, string>, command = "bash", args = [SCRIPT]) {
    this.process = spawn(command, args, {
      env: { PATH: officialPrograms, TAILWART_STALWART: `${process.execPath} ${FAKE}`, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.process.stdout?.on("data", (data: Buffer) => (this.output += data.toString()));
    this.process.stderr?.on("data", (data: Buffer) => (this.output += data.toString()));
    this.exit = once(this.process, "exit").then(([code]) => code as number | null);
    cleanups.push(() => {
      // With all that it has started: in its container that is what the end of process 1 does.
      try {
        process.kill(-this.process.pid!, "SIGKILL");
      } catch {
        // All have ended, as they should.
      }
    });
  }

  async says(text: string, milliseconds = 10_000): Promise<void> {
    const deadline = Date.now() + milliseconds;
    while (!this.output.includes(text)) {
      if (Date.now() > deadline)
        throw new Error(`"${text}" was not said within ${milliseconds} ms:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** The pids of the servers that it has started so far. */
  get servers(): number[] {
    return [...this.output.matchAll(/fake: (?:listening|recovery).*pid (\d+)/g)].map(([, pid]) =>
      Number(pid),
    );
  }

  /** How often it has said something. */
  count(text: string): number {
    return this.output.split(text).length - 1;
  }

  /** Sends a signal and says how long the end took, in milliseconds, and the exit status. */
  async stop(signal: NodeJS.Signals): Promise<{ status: number | null; took: number }> {
    const start = Date.now();
    this.process.kill(signal);
    return { status: await this.exit, took: Date.now() - start };
  }
}

export async function eventually(holds: () => boolean, milliseconds = 10_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export async function environment(
  postgres: number,
  more: Record<string, string> = {},
): Promise<Record<string, string>> {
  return {
    TAILWART_DEVICE: "lo", // this machine has no eth0 of an anchor's
    TAILWART_POSTGRES_HOST: "127.0.0.1",
    TAILWART_POSTGRES_PORT: String(postgres),
    TAILWART_GATE_INTERVAL: "0.2",
    TAILWART_GATE_TIMEOUT: "1",
    TAILWART_WATCH_PORT: String(await freePort()),
    TAILWART_WATCH_INTERVAL: "0.3",
    TAILWART_WATCH_TIMEOUT: "0.5",
    ...more,
  };
}
