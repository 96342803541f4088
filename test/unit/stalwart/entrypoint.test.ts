import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../../lib/stalwart/entrypoint.sh", import.meta.url));
const FAKE = fileURLToPath(new URL("./fake-stalwart.mjs", import.meta.url));

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A TCP server on loopback that answers the first bytes with `answer`; "" accepts and stays mute. */
async function listen(
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

async function freePort(): Promise<number> {
  const { port, server } = await listen("");
  server.close();
  await once(server, "close");
  return port;
}

class Entrypoint {
  readonly process: ChildProcess;
  output = "";
  readonly exit: Promise<number | null>;
  constructor(env: Record<string, string>) {
    this.process = spawn("bash", [SCRIPT], {
      env: { PATH: process.env.PATH, TAILWART_STALWART: `${process.execPath} ${FAKE}`, ...env },
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

  /** Sends a signal and says how long the end took, in milliseconds, and the exit status. */
  async stop(signal: NodeJS.Signals): Promise<{ status: number | null; took: number }> {
    const start = Date.now();
    this.process.kill(signal);
    return { status: await this.exit, took: Date.now() - start };
  }
}

async function environment(
  postgres: number,
  more: Record<string, string> = {},
): Promise<Record<string, string>> {
  return {
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

describe("the gate", () => {
  test("holds Stalwart until Postgres answers the 8-byte SSLRequest, then lets it start", async () => {
    const port = await freePort();
    const entry = new Entrypoint(await environment(port));
    await entry.says(`gate: waiting for Postgres 127.0.0.1:${port}: connection refused`);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(entry.output).not.toContain("fake: listening");
    expect(entry.output.match(/waiting for/g)).toHaveLength(1);

    const postgres = await listen("N", port);
    await entry.says("fake: listening");
    expect(postgres.requests[0]).toEqual(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]));
    await entry.says("watch: SMTP greets");
  });

  test("passes for a Postgres with TLS, which answers S", async () => {
    const entry = new Entrypoint(await environment((await listen("S")).port));
    await entry.says("fake: listening");
  });

  test("does not pass for a port that is open and says something else, or a NUL, or nothing", async () => {
    for (const [answer, reason] of [
      ["HTTP/1.1 400", "does not answer as Postgres does"],
      ["\0", "does not answer as Postgres does"],
      ["", "timed out"],
    ] as const) {
      const { port } = await listen(answer);
      const entry = new Entrypoint(await environment(port));
      await entry.says(`gate: waiting for Postgres 127.0.0.1:${port}: `);
      expect(entry.output).toContain(reason);
      expect(entry.output).not.toContain("fake: listening");
      expect((await entry.stop("SIGTERM")).status).toBe(143);
    }
  });

  test("names a host that does not resolve", async () => {
    const env = await environment(5432, { TAILWART_POSTGRES_HOST: "no-such-machine.invalid" });
    const entry = new Entrypoint({ ...env, TAILWART_GATE_TIMEOUT: "8" });
    await entry.says(
      "gate: waiting for Postgres no-such-machine.invalid:5432: name does not resolve",
      15_000,
    );
  });

  test("repeats what it waits for every TAILWART_GATE_REPORT seconds, and says it again when the reason changes", async () => {
    const port = await freePort();
    const entry = new Entrypoint(await environment(port, { TAILWART_GATE_REPORT: "1" }));
    await entry.says("connection refused");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const refusals = entry.output.match(/connection refused/g)?.length ?? 0;
    expect(refusals).toBeGreaterThanOrEqual(2);
    expect(refusals).toBeLessThanOrEqual(4);
    await listen("no", port);
    await entry.says("does not answer as Postgres does");
  });

  test("is left within 2 s of SIGTERM, also while a connection hangs", async () => {
    const { port } = await listen("");
    const entry = new Entrypoint(await environment(port, { TAILWART_GATE_TIMEOUT: "30" }));
    await new Promise((resolve) => setTimeout(resolve, 700));
    const { status, took } = await entry.stop("SIGTERM");
    expect(status).toBe(143);
    expect(took).toBeLessThan(2000);
  });

  test("refuses to run without a Postgres host, and says what to set", async () => {
    const entry = new Entrypoint({});
    expect(await entry.exit).toBe(64);
    expect(entry.output).toContain("TAILWART_POSTGRES_HOST is not set");
  });
});

describe("the running server", () => {
  const started = async (more: Record<string, string> = {}) => {
    const entry = new Entrypoint(await environment((await listen("N")).port, more));
    await entry.says("fake: listening");
    return entry;
  };

  test.each(["SIGTERM", "SIGINT"] as const)(
    "is told of %s within 2 s, and its exit status is the container's",
    async (signal) => {
      const entry = await started({ FAKE_EXIT: "3" });
      await entry.says("watch: SMTP greets");
      const { status, took } = await entry.stop(signal);
      expect(entry.output).toContain("fake: SIGTERM");
      expect(status).toBe(3);
      expect(took).toBeLessThan(2000);
    },
  );

  test("is told of SIGTERM within 2 s with the watch off", async () => {
    const entry = await started({ TAILWART_WATCH: "off" });
    const { status, took } = await entry.stop("SIGTERM");
    expect(status).toBe(0);
    expect(took).toBeLessThan(2000);
  });

  test("is killed when it ignores SIGTERM for longer than the grace", async () => {
    const entry = await started({ FAKE_MODE: "stubborn", TAILWART_STOP_GRACE: "1" });
    const { status, took } = await entry.stop("SIGTERM");
    expect(entry.output).toContain("did not end within 1 s of SIGTERM; killing it");
    expect(status).toBe(137);
    expect(took).toBeLessThan(4000);
  });

  test("that ends by itself ends the container with its status, with the watch on and off", async () => {
    for (const watch of ["on", "off"]) {
      const entry = await started({ FAKE_DIE_AFTER: "800", TAILWART_WATCH: watch });
      expect(await entry.exit).toBe(7);
    }
  });
});

describe("the watch", () => {
  test("stops a server that turned mute after three misses, says why, and exits 1", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tailwart-watch-"));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const file = join(directory, "mute");
    const env = await environment((await listen("N")).port, {
      FAKE_MODE: "mute-on-file",
      FAKE_MUTE_FILE: file,
    });
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(entry.output).not.toContain("of 3)");
    writeFileSync(file, "");
    expect(await entry.exit).toBe(1);
    for (const text of [
      "(1 of 3)",
      "(2 of 3)",
      "(3 of 3)",
      "no greeting within 0.5 s",
      "starting over",
      "fake: SIGTERM",
    ]) {
      expect(entry.output).toContain(text);
    }
  });

  test("gives a server that never greets until the start deadline", async () => {
    const env = await environment((await listen("N")).port, {
      FAKE_MODE: "mute",
      TAILWART_START_DEADLINE: "3",
    });
    const start = Date.now();
    const entry = new Entrypoint(env);
    expect(await entry.exit).toBe(1);
    expect(Date.now() - start).toBeGreaterThan(2500);
    expect(entry.output).toContain("no SMTP greeting on 127.0.0.1");
    expect(entry.output).not.toContain("of 3)");
  });

  test("switched off leaves a mute server running", async () => {
    const env = await environment((await listen("N")).port, {
      FAKE_MODE: "mute",
      TAILWART_WATCH: "off",
      TAILWART_START_DEADLINE: "1",
    });
    const entry = new Entrypoint(env);
    await entry.says("fake: listening");
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(entry.process.exitCode).toBeNull();
  });

  test("leaves no zombie behind", async () => {
    const entry = new Entrypoint(await environment((await listen("N")).port));
    await entry.says("watch: SMTP greets");
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const zombies = readdirSync("/proc").filter((pid) => {
      try {
        const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8")
          .replace(/^.*\) /, "")
          .split(" ");
        return state === "Z" && Number(parent) === entry.process.pid;
      } catch {
        return false;
      }
    });
    expect(zombies).toEqual([]);
  });
});

describe("with a registry (Stalwart 0.16 and later)", () => {
  /** Files of the container, and what tells the fake that the marker is there. */
  async function registry(more: Record<string, string> = {}) {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-registry-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "admin"), "$6$salt$hash");
    writeFileSync(join(folder, "curlrc"), 'user = "admin:api-password"\n');
    const marker = join(folder, "marker");
    const env = await environment((await listen("N")).port, {
      TAILWART_MARKER: "applied",
      TAILWART_ADMIN: `admin:${join(folder, "admin")}`,
      TAILWART_API_PORT: String(await freePort()),
      TAILWART_API_CURLRC: join(folder, "curlrc"),
      FAKE_MARKER_FILE: marker,
      ...more,
    });
    return { env, marker, folder };
  }

  test("a data store without the marker is served in recovery mode alone until a deploy has left it there", async () => {
    const { env, marker } = await registry();
    const entry = new Entrypoint(env);
    await entry.says("fake: recovery for admin:$6$salt$hash");
    await entry.says("serving the API alone until a deploy has applied them");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(entry.output).not.toContain("fake: listening");
    writeFileSync(marker, "");
    await entry.says("recovery: the settings are applied");
    await entry.says("watch: SMTP greets");
  });

  test("one with the marker goes through recovery mode to the mail server by itself, as after a restart", async () => {
    const { env, marker } = await registry();
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    expect(entry.output).not.toContain("until a deploy");
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 0 });
  });

  test("an API that refuses the password never counts as having the marker", async () => {
    const { env, marker, folder } = await registry();
    writeFileSync(join(folder, "curlrc"), 'user = "admin:wrong"\n');
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("fake: recovery");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(entry.output).not.toMatch(/fake: listening|settings are applied/);
  });

  test("a stop in recovery mode ends the server and is told from a failure", async () => {
    const entry = new Entrypoint((await registry()).env);
    await entry.says("until a deploy has applied them");
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 143 });
  });

  test("a server that ends in recovery mode ends the container with its status, so that it is started over", async () => {
    const entry = new Entrypoint((await registry({ FAKE_DIE_AFTER: "1500" })).env);
    expect(await entry.exit).toBe(7);
    expect(entry.output).toContain("recovery: Stalwart has ended by itself");
  });
});
