import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, describe, expect, test } from "vitest";

import { runCommand } from "../../../lib/run-command.ts";
import { describeReach, reachProbe, readReach } from "../../../verify/reach.ts";

const children: ChildProcess[] = [];
const sockets: Socket[] = [];
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const child of children) child.kill("SIGKILL");
});

/** Runs the probe's own shell line here; it needs nc (netcat-openbsd) and getent. */
async function probe(host: string, port: number, env = process.env) {
  const done = await runCommand("sh", ["-c", reachProbe(host, port)], { deadline: 15_000, env });
  expect(done.status, done.stderr).toBe(0);
  return readReach(done.stdout);
}

/**
 * A listener that never accepts, with its queue full: the kernel drops every further SYN, as a
 * tailnet does.
 */
async function blackhole(): Promise<number> {
  const mute = `const s = require("net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    require("fs").writeSync(1, String(s.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  })`;
  const child = spawn(process.execPath, ["-e", mute], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [text] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(text.toString());
  for (let i = 0; i < 4; i++) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    sockets.push(socket);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  return port;
}

describe("the probe, with real sockets", () => {
  test("finds an open port open", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    expect(await probe("127.0.0.1", (server.address() as AddressInfo).port)).toBe("open");
    server.close();
  });

  test("tells a port that refuses from one that is silent (lesson 11)", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    expect(await probe("127.0.0.1", port)).toBe("refused");
    expect(await probe("127.0.0.1", await blackhole())).toBe("timeout");
  });

  test("tells a name that does not exist from all of them", async () => {
    expect(await probe("no-such-name.invalid", 25)).toBe("no-such-name");
  });
});

describe("what the probe said", () => {
  test("is its last line's word; anything else is unknown, never open", () => {
    expect(readReach("a warning\nopen\n")).toBe("open");
    for (const text of ["", "opened", "open\nError"]) expect(readReach(text)).toBe("unknown");
  });

  test("becomes a sentence that names the target, the source and what to look at", () => {
    const say = (problem: Parameters<typeof describeReach>[0]) =>
      describeReach(problem, "Postgres db.tail.test:5432", "stalwart (tag:stalwart)");
    for (const problem of ["no-such-name", "timeout", "refused", "no-route", "unknown"] as const) {
      expect(say(problem)).toMatch(/^Postgres db\.tail\.test:5432 is not reachable: /);
      expect(say(problem)).toContain("stalwart (tag:stalwart)");
    }
    expect(say("no-such-name")).toContain("no grant at all");
    expect(say("timeout")).toContain("drops it");
  });
});
