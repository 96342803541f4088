import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../../../lib/stalwart/entrypoint.sh", import.meta.url));
const FAKE = fileURLToPath(new URL("./fake-stalwart.mjs", import.meta.url));

/**
 * What the official images have beside the server: bash and coreutils; no curl, wget, nc or
 * setpriv.
 */
const PROGRAMS = mkdtempSync(join(tmpdir(), "tailwart-programs-"));
for (const program of ["bash", "base64", "cat", "sleep", "timeout"])
  symlinkSync(join("/usr/bin", program), join(PROGRAMS, program));
afterAll(() => rmSync(PROGRAMS, { recursive: true }));

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/**
 * A TCP server on loopback that answers the first bytes with `answer`; "" accepts and stays mute.
 */
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

/** Below those that the kernel gives to whoever asks for any: nobody else gets it meanwhile. */
let nextPort = 20_000 + (process.pid % 9_000);
async function freePort(): Promise<number> {
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

class Entrypoint {
  readonly process: ChildProcess;
  output = "";
  readonly exit: Promise<number | null>;
  constructor(env: Record<string, string>, command = "bash", args = [SCRIPT]) {
    this.process = spawn(command, args, {
      env: { PATH: PROGRAMS, TAILWART_STALWART: `${process.execPath} ${FAKE}`, ...env },
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

async function eventually(holds: () => boolean, milliseconds = 10_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function environment(
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

  test("holds where TLS is demanded and Postgres has none: Stalwart would go on in clear", async () => {
    const tls = { TAILWART_POSTGRES_TLS: "on" };
    const { port, server } = await listen("N");
    const entry = new Entrypoint(await environment(port, tls));
    await entry.says(`gate: waiting for Postgres 127.0.0.1:${port}: it offers no TLS`);
    expect(entry.output).not.toContain("fake: listening");
    server.close();
    await once(server, "close");
    await listen("S", port);
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

  test("is left also when a wait ends in the moment of SIGTERM, which bash may never notice", async () => {
    const programs = mkdtempSync(join(tmpdir(), "tailwart-sleep-"));
    cleanups.push(() => rmSync(programs, { recursive: true }));
    const sleep = "#!/bin/bash\n/usr/bin/sleep 0.1\n[[ $1 != 0.77 ]] || kill -TERM $PPID\n";
    writeFileSync(join(programs, "sleep"), sleep, { mode: 0o755 });
    const env = await environment(await freePort(), { TAILWART_GATE_INTERVAL: "0.77" });
    // One alone is often lucky.
    const entries = Array.from(
      { length: 8 },
      () => new Entrypoint({ ...env, PATH: `${programs}:${PROGRAMS}` }),
    );
    expect(await Promise.all(entries.map((entry) => entry.exit))).toEqual(entries.map(() => 143));
  });

  test("refuses to run without a Postgres host, and says what to set", async () => {
    const entry = new Entrypoint({});
    expect(await entry.exit).toBe(64);
    await entry.says("TAILWART_POSTGRES_HOST is not set");
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

  test("may open as many files as its host lets it, whatever a container has at first", async () => {
    const env = await environment((await listen("N")).port);
    const entry = new Entrypoint(env, "bash", ["-c", `ulimit -Sn 256; ulimit -Hn 5000; exec bash ${SCRIPT}`]);
    await entry.says("fake: listening, 5000 open files");
  });

  test("that a signal kills ends the container with its status", async () => {
    const entry = await started();
    process.kill(entry.servers[0]!, "SIGKILL");
    expect(await entry.exit).toBe(137);
    expect(entry.output).toContain("Stalwart has ended by itself, with status 137");
  });

  test("that a signal killed while bash was busy is noticed at the next wait", () => {
    // The script's own `run`, and a server that bash has reaped in the meantime: `wait -n` knows it
    // no more.
    const wait = `
      eval "$(sed -n '/^ended() {/,/^}/p; /^run() {/,/^}/p' "$0")"
      child= status=0 job= tick= stopping=
      sleep 60 & child=$!
      kill -KILL $child; sleep 0.3
      run sleep 5
      echo "$?, status $status, \${child:-none left}"`;
    const { stdout } = spawnSync("bash", ["-c", wait, SCRIPT], { encoding: "utf8", timeout: 4000 });
    expect(stdout).toBe("200, status 137, none left\n");
  });

  test("is looked after within a second also when bash misses a helper's end", () => {
    // `wait -n` misses one that comes while it looks through its list, in some of these rounds, and
    // waits for another process' end: for ever.
    const rounds = `
      eval "$(sed -n '/^ended() {/,/^}/p; /^run() {/,/^}/p' "$0")"
      kill() {
        builtin kill "$@"
        local status=$? turn
        for ((turn = 0; turn < RANDOM % 300; turn++)); do :; done
        return $status
      }
      child= job= tick= stopping=
      sleep 60 & other=$!
      for ((round = 0; round < 3000; round++)); do run :; done
      kill $other; echo "$round rounds"`;
    const { stdout } = spawnSync("bash", ["-c", rounds, SCRIPT], { encoding: "utf8", timeout: 60_000 });
    expect(stdout).toBe("3000 rounds\n");
  }, 70_000);

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
  /** A server that is mute as long as a file is there. */
  async function mutable(more: Record<string, string> = {}) {
    const directory = mkdtempSync(join(tmpdir(), "tailwart-watch-"));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const file = join(directory, "mute");
    const env = await environment((await listen("N")).port, {
      FAKE_MODE: "mute-on-file",
      FAKE_MUTE_FILE: file,
      ...more,
    });
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    return { entry, file };
  }

  test("starts a server that turned mute over after three misses, within the container, and says why", async () => {
    const { entry, file } = await mutable();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(entry.output).not.toContain("of 3)");
    writeFileSync(file, "");
    await entry.says("fake: SIGTERM");
    rmSync(file);
    for (const text of ["(1 of 3)", "(2 of 3)", "(3 of 3)", "no greeting within 0.5 s", "starting over"])
      expect(entry.output).toContain(text);
    await eventually(() => entry.count("watch: SMTP greets") === 2);
    expect(new Set(entry.servers).size).toBe(2);
    expect(entry.output).not.toContain("ALERT");
    expect(entry.process.exitCode).toBeNull();
  });

  test("takes twice the misses after each restart in a row, and alerts from the second on", async () => {
    const { entry, file } = await mutable({ TAILWART_WATCH_MISSES: "1", TAILWART_START_DEADLINE: "3" });
    writeFileSync(file, "");
    await entry.says("(1 of 1)");
    await entry.says("no SMTP greeting within");
    await entry.says("ALERT watch: restart 2 in a row");
    rmSync(file);
    await eventually(() => entry.count("watch: SMTP greets") === 2);
    writeFileSync(file, "");
    await entry.says("(4 of 4)");
    await entry.says("ALERT watch: restart 3 in a row");
  }, 30_000);

  test("forgets its restarts once a server has run for a while", async () => {
    const { entry, file } = await mutable({ TAILWART_WATCH_MISSES: "1", TAILWART_WATCH_CALM: "2" });
    writeFileSync(file, "");
    await entry.says("fake: SIGTERM");
    rmSync(file);
    await eventually(() => entry.count("watch: SMTP greets") === 2);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    writeFileSync(file, "");
    await eventually(() => entry.count("(1 of 1)") === 2);
    expect(entry.output).not.toContain("ALERT");
  }, 30_000);

  test("alerts to a server that closes without a greeting, as a full one does, and lets it run", async () => {
    const { entry, file } = await mutable({ FAKE_MODE: "close-on-file" });
    writeFileSync(file, "");
    await entry.says("ALERT watch: 127.0.0.1");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    rmSync(file);
    expect(entry.output).toContain("closes without a greeting; Stalwart is left running");
    expect(entry.count("ALERT")).toBe(1);
    expect(entry.output).not.toContain("starting over");
    expect(entry.servers).toHaveLength(1);
  });

  test("gives a server that never greets until the start deadline", async () => {
    const env = await environment((await listen("N")).port, {
      FAKE_MODE: "mute",
      TAILWART_START_DEADLINE: "3",
    });
    const start = Date.now();
    const entry = new Entrypoint(env);
    await entry.says("starting over");
    expect(Date.now() - start).toBeGreaterThan(2500);
    expect(entry.output).toMatch(/no SMTP greeting within [3-9] s of the start/);
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

describe("the administrator (the 0.15 line)", () => {
  /** A config file of the fake's, and what tells it that the account is there. */
  async function line015(more: Record<string, string> = {}) {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-admin-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const config = join(folder, "config.toml");
    writeFileSync(config, 'server.hostname = "mail.lab.test"\n');
    writeFileSync(join(folder, "login"), "admin:api-password");
    const port = String(await freePort());
    const account = join(folder, "account");
    const env = await environment((await listen("N")).port, {
      TMPDIR: folder,
      TAILWART_STALWART: `${process.execPath} ${FAKE} --config ${config}`,
      TAILWART_ADMIN: "admin:/etc/stalwart/secrets/admin",
      TAILWART_API_PORT: port,
      TAILWART_API_LOGIN: join(folder, "login"),
      FAKE_API_PORT: port,
      FAKE_ACCOUNT_FILE: account,
      ...more,
    });
    return { env, account, lastResort: join(folder, "tailwart-last-resort.toml") };
  }

  test("of last resort is in no config while the API takes the account's login", async () => {
    const { env, account } = await line015();
    writeFileSync(account, "");
    const entry = new Entrypoint(env);
    await entry.says("fake: API, accounts alone");
    await entry.says("watch: SMTP greets");
    expect(entry.servers).toHaveLength(1);
    expect(entry.output).not.toContain("last resort");
  });

  test("of last resort is there while the account is missing, and gone after the next start", async () => {
    const { env, account, lastResort } = await line015();
    const entry = new Entrypoint(env);
    await entry.says("admin: the API refuses its login");
    await entry.says("fake: API, administrator of last resort");
    await entry.says("watch: SMTP greets");
    expect(entry.servers).toHaveLength(2);
    expect(readFileSync(lastResort, "utf8")).toBe(
      'server.hostname = "mail.lab.test"\n' +
        'authentication.fallback-admin.user = "admin"\n' +
        'authentication.fallback-admin.secret = "%{file:/etc/stalwart/secrets/admin}%"\n',
    );
    expect((await entry.stop("SIGTERM")).status).toBe(0);

    writeFileSync(account, "");
    const next = new Entrypoint(env);
    await next.says("watch: SMTP greets");
    expect(next.output).not.toContain("last resort");
  });

  test("is not waited for for ever: a server whose API is mute is watched all the same", async () => {
    const { env } = await line015({ FAKE_API_PORT: "", TAILWART_START_DEADLINE: "1" });
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    expect(entry.servers).toHaveLength(1);
  });

  test("a server that ends while the login is asked for ends the container within seconds", async () => {
    const { env } = await line015({ FAKE_API_PORT: "", FAKE_DIE_AFTER: "1500" });
    const start = Date.now();
    expect(await new Entrypoint(env).exit).toBe(7);
    expect(Date.now() - start).toBeLessThan(15_000);
  });

  test("a stop while the login is asked for ends the server", async () => {
    const { env } = await line015({ FAKE_API_PORT: "" });
    const entry = new Entrypoint(env);
    await entry.says("fake: listening");
    expect((await entry.stop("SIGTERM")).status).toBe(0);
    expect(entry.output).toContain("fake: SIGTERM");
  });
});

describe("with a registry (Stalwart 0.16 and later)", () => {
  /** Files of the container, and what tells the fake that the marker is there. */
  async function registry(more: Record<string, string> = {}) {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-registry-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "admin"), "$6$salt$hash");
    writeFileSync(join(folder, "api"), "admin:api-password");
    const [marker, account] = [join(folder, "marker"), join(folder, "account")];
    writeFileSync(account, "");
    const port = String(await freePort());
    const env = await environment((await listen("N")).port, {
      TAILWART_MARKER_ROW: "applied",
      TAILWART_MARKER_PORT: String(await freePort()),
      TAILWART_MARKER_INTERVAL: "0.5",
      TAILWART_HANDOVER: "0.5",
      TAILWART_ADMIN: `admin:${join(folder, "admin")}`,
      TAILWART_API_PORT: port,
      TAILWART_API_LOGIN: join(folder, "api"),
      FAKE_API_PORT: port,
      FAKE_ACCOUNT_FILE: account,
      FAKE_MARKER_FILE: marker,
      ...more,
    });
    return { env, marker, account, folder };
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

  test("one with the marker is served at once: nobody finds the server that was asked for it, and takes it for ready", async () => {
    const { env, marker } = await registry();
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    expect(entry.output).not.toContain("until a deploy");
    expect(entry.output).toContain(`on port ${env["TAILWART_MARKER_PORT"]}`);
    expect(entry.output).not.toContain(`on port ${env["TAILWART_API_PORT"]}`);
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 0 });
  });

  test("the deploy that has left the marker may restart the container itself: for its time the API goes on", async () => {
    const { env, marker } = await registry({ TAILWART_HANDOVER: "60" });
    const entry = new Entrypoint(env);
    await entry.says(`on port ${env["TAILWART_API_PORT"]}`);
    writeFileSync(marker, "");
    await entry.says("the deploy restarts the container");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const answer = await fetch(`http://127.0.0.1:${env["TAILWART_API_PORT"]}/`);
    expect(answer.status).toBe(401);
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 143 });
  });

  test("no administrator of last resort is there while the account's login is taken", async () => {
    const { env, marker } = await registry();
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    expect(entry.output).toContain("fake: API, accounts alone");
    expect(entry.output).not.toContain("last resort");
  });

  test("an account that is missing is stood in for by one of last resort, until a start that finds it", async () => {
    const { env, marker, account } = await registry();
    writeFileSync(marker, "");
    rmSync(account);
    const entry = new Entrypoint(env);
    await entry.says("admin: the API refuses its login");
    await entry.says("fake: API, administrator of last resort");
    await entry.says("watch: SMTP greets");
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 0 });
    writeFileSync(account, "");
    const next = new Entrypoint(env);
    await next.says("watch: SMTP greets");
    expect(next.output).not.toContain("last resort");
  });

  test("an API that has lost Postgres never counts as a data store without the marker", async () => {
    const { env } = await registry({ FAKE_MODE: "no-postgres" });
    const entry = new Entrypoint(env);
    await entry.says("fake: recovery");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(entry.output).not.toContain("until a deploy");
  });

  test("an API that refuses the password never counts as having the marker", async () => {
    const { env, marker, folder } = await registry();
    writeFileSync(join(folder, "api"), "admin:wrong");
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("fake: recovery");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(entry.output).not.toMatch(/fake: listening|settings are applied/);
  });

  test("a server that does not leave recovery mode when it is told to is killed after the grace", async () => {
    const { env, marker } = await registry({ FAKE_MODE: "stubborn", TAILWART_STOP_GRACE: "1" });
    const entry = new Entrypoint(env);
    await entry.says("until a deploy has applied them");
    writeFileSync(marker, "");
    await entry.says("did not end within 1 s of SIGTERM; killing it");
    await entry.says("recovery: the settings are applied");
    await entry.says("watch: SMTP greets");
  });

  test("a server that a signal kills in recovery mode ends the container", async () => {
    const entry = new Entrypoint((await registry()).env);
    await eventually(() => entry.servers.length === 2);
    process.kill(entry.servers[1]!, "SIGKILL");
    expect(await entry.exit).toBe(137);
  });

  test("a stop in recovery mode ends the server and is told from a failure", async () => {
    const entry = new Entrypoint((await registry()).env);
    await eventually(() => entry.servers.length === 2);
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 143 });
  });

  test("a server that ends in recovery mode ends the container with its status, so that it is started over", async () => {
    const entry = new Entrypoint((await registry({ FAKE_DIE_AFTER: "1500" })).env);
    expect(await entry.exit).toBe(7);
    expect(entry.output).toContain("recovery: Stalwart has ended by itself");
  });
});

describe("the namespace of an anchor that has ended is left within seconds, and the log says why:", () => {
  /** Runs until the words, takes the namespace's device away, and says how long the end took. */
  async function lose(postgres: number, words: string, more: Record<string, string> = {}) {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-device-"));
    const device = join(folder, "eth0");
    writeFileSync(device, "");
    const env = { TAILWART_DEVICE: `../../../${device}`, TAILWART_STOP_GRACE: "60", ...more };
    const entry = new Entrypoint(await environment(postgres, env));
    await entry.says(words);
    rmSync(folder, { recursive: true });
    const start = Date.now();
    const status = await entry.exit;
    expect(entry.output).toContain("is gone, so the anchor has ended; leaving for its next namespace");
    return { status, seconds: (Date.now() - start) / 1000 };
  }

  test("in the gate, which would wait for ever", async () => {
    const { status, seconds } = await lose(await freePort(), "gate: waiting for Postgres");
    expect(status).toBe(143);
    expect(seconds).toBeGreaterThan(2.9);
    expect(seconds).toBeLessThan(8);
  });

  test("under the watch, even by a server that does not end, whatever grace it has", async () => {
    const { port } = await listen("N");
    const { seconds } = await lose(port, "watch: SMTP greets", { FAKE_MODE: "stubborn" });
    expect(seconds).toBeLessThan(10);
  });

  test("without a watch", async () => {
    const { port } = await listen("N");
    const { seconds } = await lose(port, "fake: listening", { TAILWART_WATCH: "off" });
    expect(seconds).toBeLessThan(8);
  });

  test("in recovery mode", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-registry-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "admin"), "$6$salt$hash");
    const more = {
      TAILWART_MARKER_ROW: "applied",
      TAILWART_MARKER_PORT: String(await freePort()),
      TAILWART_ADMIN: `admin:${join(folder, "admin")}`,
      TAILWART_API_PORT: String(await freePort()),
    };
    const { status } = await lose((await listen("N")).port, "fake: recovery", more);
    expect(status).toBe(143);
  });
});

describe("with settings as keys (Stalwart 0.15)", () => {
  async function keys(more: Record<string, string> = {}) {
    const folder = mkdtempSync(join(tmpdir(), "tailwart-keys-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const marker = join(folder, "marker");
    const env = await environment((await listen("N")).port, {
      TAILWART_MARKER_KEY: "tailwart.applied",
      TAILWART_MARKER_INTERVAL: "0.5",
      TAILWART_HANDOVER: "0.5",
      TAILWART_API_PORT: String(await freePort()),
      FAKE_MARKER_FILE: marker,
      ...more,
    });
    return { env, marker };
  }

  test("a data store without the marker is served by the API alone until a deploy has left it there", async () => {
    const { env, marker } = await keys();
    const entry = new Entrypoint(env);
    await entry.says("serving the API alone until a deploy has applied them");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(entry.output).not.toContain("fake: listening");
    expect(entry.count("has no settings")).toBe(1);
    writeFileSync(marker, "");
    await entry.says("recovery: the settings are applied");
    await entry.says("watch: SMTP greets");
  });

  test("one with the marker is served at once, with no other server before", async () => {
    const { env, marker } = await keys();
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("watch: SMTP greets");
    expect(entry.output).not.toContain("recovery");
  });

  test("locks that a dead server has left on messages are taken away before the start, and the log says how many", async () => {
    const { env, marker } = await keys({ FAKE_MODE: "locked" });
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("queue: 3 messages were under way when the last server ended");
    await entry.says("fake: listening");
  });

  test("a data store in which nothing can be deleted does not hold up the start", async () => {
    const { env, marker } = await keys({ FAKE_MODE: "read-only" });
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("fake: listening");
    expect(entry.output).not.toContain("queue:");
  });

  test("while it cannot be told nothing is started, and a stop is a stop", async () => {
    const { env, marker } = await keys({ FAKE_MODE: "deaf-console" });
    writeFileSync(marker, "");
    const entry = new Entrypoint(env);
    await entry.says("it cannot be told whether");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(entry.output).not.toContain("fake:");
    expect(await entry.stop("SIGTERM")).toMatchObject({ status: 143 });
  });
});
