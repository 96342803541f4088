import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import {
  cleanups,
  Entrypoint,
  environment,
  eventually,
  freePort,
  inTheOfficialImage,
  listen,
  officialPrograms,
  SCRIPT,
} from "./entrypoint.ts";

inTheOfficialImage();

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
      () => new Entrypoint({ ...env, PATH: `${programs}:${officialPrograms}` }),
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
