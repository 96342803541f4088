/** The pipe to Stalwart's API: the real bash of a container's command, without the container. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";

import type { Question } from "../../../../provider/server/http.ts";
import { openPipe, pumpTo, UnreachableError } from "../../../../provider/server/pipe.ts";
import { pipeTransport, type Transport } from "../../../../provider/server/transport.ts";
import { fakeTransport, LOGIN } from "../../../fakes/fake-transport.ts";

/** A PATH with what the images of Stalwart have: no curl, no wget, no nc. */
const tools = mkdtempSync(join(tmpdir(), "tailwart-tools-"));
for (const tool of ["bash", "cat"])
  symlinkSync(execFileSync("which", [tool]).toString().trim(), join(tools, tool));
afterAll(() => rmSync(tools, { recursive: true }));

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((clean) => clean()));

/** A server, the connections that it has now, and how many it has had. */
function watched(server: Server | ReturnType<typeof createServer>) {
  const open = new Set<Socket>();
  const seen = { open, count: 0, base: "", port: 0 };
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    seen.count++;
    socket.on("error", () => undefined).on("close", () => open.delete(socket));
  });
  cleanups.push(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return once(server.listen(0, "127.0.0.1"), "listening").then(() => {
    seen.port = (server.address() as AddressInfo).port;
    seen.base = `http://127.0.0.1:${seen.port}`;
    return seen;
  });
}
const http = (listener: RequestListener) => watched(createHttpServer(listener));
const tcp = (listener: (socket: Socket) => void) => watched(createServer(listener));

const transport = (): Transport => fakeTransport({}, tools);
const get = (url: string, more: Partial<Question> = {}): Question => ({
  where: "GET / of container test",
  method: "GET",
  url,
  deadline: 5_000,
  ...more,
});
const post = (url: string, more: Partial<Question> = {}) =>
  get(url, { method: "POST", body: { a: "ä" }, ...more });

describe("a request through the pipe", () => {
  test("needs no program but bash and coreutils, and carries login, method and body", async () => {
    const seen: unknown[] = [];
    const { base } = await http((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        const { authorization, "content-type": type } = request.headers;
        seen.push([request.method, request.url, authorization, type, body]);
        response.writeHead(201).end("gemacht: ü");
      });
    });
    const answer = await transport().ask(post(`${base}/path?q=1`));
    expect(answer).toEqual({ status: 201, text: "gemacht: ü" });
    const login = `Basic ${Buffer.from(LOGIN).toString("base64")}`;
    expect(seen).toEqual([["POST", "/path?q=1", login, "application/json", '{"a":"ä"}']]);
  });

  test("goes over one connection with all the others, one after the other", async () => {
    let now = 0;
    const server = await http((_, response) => {
      expect(++now).toBe(1);
      setTimeout(() => {
        now--;
        response.end("ok");
      }, 5);
    });
    const { ask } = transport();
    const warnings: Error[] = [];
    const warned = (warning: Error) => void warnings.push(warning);
    process.on("warning", warned);
    await Promise.all(Array.from({ length: 20 }, () => ask(get(server.base))));
    for (let i = 0; i < 20; i++) await ask(get(server.base));
    process.off("warning", warned);
    expect(server.count).toBe(1);
    expect(warnings, "of listeners that pile up, say").toEqual([]);
  });

  test("takes an answer that is slow, in chunks, or large, and sends a large one", async () => {
    const large = randomBytes(1024 * 1024).toString("base64");
    const { base } = await http((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        response.write("sl");
        setTimeout(() => response.write("ow"), 30);
        setTimeout(() => response.write("ly"), 60);
        setTimeout(() => response.end(Buffer.concat(chunks)), 90);
      });
    });
    const { ask } = transport();
    const answer = await ask(post(base, { body: large }));
    expect(answer.text).toBe(`slowly"${large}"`);
    expect((await ask(post(base, { body: "small" }))).text).toBe('slowly"small"');
  });

  test("to a port where nothing listens names port and reason, and goes through once something does", async () => {
    const { port } = await http(() => undefined);
    cleanups.splice(0).forEach((clean) => clean());
    const { ask } = transport();
    const refused = ask(get(`http://127.0.0.1:${port}/`));
    await expect(refused).rejects.toThrow(UnreachableError);
    await expect(refused).rejects.toThrow(`GET / of container test: 127.0.0.1:${port}: Connection refused`);
    const late = createHttpServer((_, response) => response.end("now"));
    cleanups.push(() => (late.closeAllConnections(), late.close()));
    await once(late.listen(port, "127.0.0.1"), "listening");
    expect((await ask(get(`http://127.0.0.1:${port}/`))).text).toBe("now");
  });

  test("without an answer ends at its deadline, and the next one goes over a new connection", async () => {
    let hang = true;
    const server = await http((_, response) => void (hang || response.end("ok")));
    const { ask } = transport();
    const start = Date.now();
    await expect(ask(get(server.base, { deadline: 400 }))).rejects.toThrow(
      "GET / of container test: no answer within 0.4 s",
    );
    expect(Date.now() - start).toBeLessThan(2_000);
    hang = false;
    expect((await ask(get(server.base))).text).toBe("ok");
    expect(server.count).toBe(2);
    await expect.poll(() => server.open.size, { timeout: 15_000 }).toBe(1);
  });

  test("over a line that takes long to connect keeps to its deadline, too", async () => {
    const server = await http((_, response) => response.end("ok"));
    const line = (before: string) =>
      pipeTransport({
        name: "container test",
        loginFile: "/dev/null",
        beside: (command) => ["sh", "-c", `${before} && exec "$@"`, "line", ...command],
        restart: () => Promise.reject(new Error()),
        inspect: () => Promise.reject(new Error()),
      });
    expect((await line("sleep 0.3").ask(get(server.base))).text).toBe("ok");
    const start = Date.now();
    await expect(line("exec sleep 30").ask(get(server.base, { deadline: 300 }))).rejects.toThrow(
      "no answer within 0.3 s",
    );
    expect(Date.now() - start).toBeLessThan(2_000);
  });

  test("that is cut off amid its answer says so", async () => {
    const { base } = await tcp((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")),
    );
    await expect(transport().ask(get(base))).rejects.toThrow(
      /^GET \/ of container test: the connection ended before the end of the answer/,
    );
  });

  test("whose server closes after each answer is repeated for none of them", async () => {
    const server = await http((_, response) => response.writeHead(200, { connection: "close" }).end("ok"));
    const { ask } = transport();
    for (let i = 0; i < 3; i++) expect((await ask(post(server.base))).text).toBe("ok");
    expect(server.count).toBe(3);
  });
});

describe("a kept connection", () => {
  /** Answers the first request of each connection, and closes at the second without a word. */
  const closingAtTheSecond = (requests: string[]) =>
    tcp((socket) => {
      let answered = false;
      socket.on("data", (data) => {
        requests.push(data.toString().split(" ")[0] ?? "");
        if (answered) return socket.destroy();
        answered = true;
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });

  test("that ends under a read is replaced, and the read is sent once more", async () => {
    const requests: string[] = [];
    const server = await closingAtTheSecond(requests);
    const { ask } = transport();
    await ask(get(server.base));
    expect((await ask(get(server.base))).text).toBe("ok");
    await ask(post(server.base, { repeatable: true }));
    expect(requests).toEqual(["GET", "GET", "GET", "POST", "POST"]);
    expect(server.count).toBe(3);
  });

  test("that ends under a write fails it, since the server may have done it", async () => {
    const requests: string[] = [];
    const server = await closingAtTheSecond(requests);
    const { ask } = transport();
    await ask(get(server.base));
    await expect(ask(post(server.base))).rejects.toThrow("the connection ended before the answer");
    expect(requests).toEqual(["GET", "POST"]);
  });

  test("that the server has closed meanwhile is replaced before anything is sent over it", async () => {
    const server = await http((_, response) => response.end("ok"));
    const { ask } = transport();
    await ask(get(server.base));
    for (const socket of server.open) socket.destroy();
    await allEnded();
    await sleep(50); // its end is in this process's queue
    expect((await ask(post(server.base))).text).toBe("ok");
    expect(server.count).toBe(2);
  });

  test("does not outlive a restart of the server by the provider", async () => {
    const server = await http((_, response) => response.end("ok"));
    const { ask, restart } = transport();
    await ask(get(server.base));
    await restart(1_000);
    await allClosed(server);
    expect((await ask(post(server.base))).text).toBe("ok");
  });

  test("keeps no process alive that has nothing else to do", async () => {
    const server = await http((_, response) => response.end("ok"));
    expect(await asker(server.base, "").exit).toBe(0);
    await allClosed(server);
  });
});

const allClosed = (server: { open: Set<Socket> }) =>
  expect.poll(() => server.open.size, { timeout: 15_000 }).toBe(0);

/** Marks the processes of this test file. */
const MARK = `TAILWART_PIPE_TEST=${process.pid}`;
process.env["TAILWART_PIPE_TEST"] = String(process.pid);

/** Every process that a pipe of this file runs: bash and its children. */
function pumps(): string[] {
  return globSync("/proc/[0-9]*/environ").flatMap((file) => {
    try {
      if (!readFileSync(file, "utf8").split("\0").includes(MARK)) return [];
      const line = readFileSync(file.replace("environ", "cmdline"), "utf8").split("\0").slice(0, 2).join(" ");
      return /^(bash|cat)\b/.test(line) ? [line] : [];
    } catch {
      return []; // it has ended meanwhile, or belongs to somebody else
    }
  });
}

const allEnded = () => expect.poll(pumps, { timeout: 15_000 }).toEqual([]);

/** A process that asks once, and then does what `rest` says. */
function asker(base: string, rest: string) {
  const login = join(tools, "login");
  writeFileSync(login, LOGIN);
  const url = (file: string) => new URL(`../../../../provider/server/${file}`, import.meta.url).href;
  const script = `
    import { pipeTransport } from "${url("transport.ts")}";
    const transport = pipeTransport({ name: "t", loginFile: "${login}", beside: (command) => command });
    await transport.ask({ where: "t", method: "GET", url: "${base}", deadline: 5000 });
    console.log("asked");
    ${rest}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  cleanups.push(() => child.kill("SIGKILL"));
  const exit = once(child, "exit").then(([code]) => code as number | null);
  return { child, exit };
}

describe("the processes of a pipe", () => {
  test("end when its user ends it, whatever the server does", async () => {
    const server = await tcp(() => undefined);
    const { connect } = transport();
    const pipe = await connect({ host: "127.0.0.1", port: server.port }, 5_000);
    await expect.poll(() => pumps().length, { timeout: 15_000 }).toBe(5);
    pipe.destroy();
    await allEnded();
    await allClosed(server);
  });

  test("end when the server ends, with all that it has said delivered", async () => {
    const said = randomBytes(300_000);
    const server = await tcp((socket) => socket.end(said));
    const { connect } = transport();
    const pipe = await connect({ host: "127.0.0.1", port: server.port }, 5_000);
    const got: Buffer[] = [];
    for await (const chunk of pipe) got.push(chunk as Buffer);
    expect(Buffer.concat(got).equals(said)).toBe(true);
    await allEnded();
  });

  test("end when the process that has opened it is killed, idle or amid a request", async () => {
    for (const rest of [
      "setInterval(() => undefined, 1000);",
      'await transport.ask({ where: "t", method: "POST", url: "$BASE/hang", deadline: 60000 });',
    ]) {
      const server = await http((request, response) => void (request.url === "/hang" || response.end("ok")));
      const { child, exit } = asker(server.base, rest.replace("$BASE", server.base));
      await once(child.stdout, "data");
      expect(server.open.size).toBe(1);
      await sleep(100);
      child.kill("SIGKILL");
      await exit;
      await allClosed(server);
      await allEnded();
    }
  });

  test("end however soon an end comes, on a busy machine, too", async () => {
    const server = await tcp((socket) => void (server.count % 2 === 0 && socket.end("bye")));
    const { connect } = transport();
    const opened = Array.from({ length: 40 }, async () => {
      const pipe = await connect({ host: "127.0.0.1", port: server.port }, 20_000);
      if (pipe.readableLength === 0) pipe.destroy();
      pipe.resume();
    });
    await Promise.all(opened);
    await allEnded();
  });

  test("hold a fast server back until its answer is read", async () => {
    let written = 0;
    const server = await tcp((socket) => {
      const block = Buffer.alloc(65_536);
      const more = () => {
        while (written < 1e9 && socket.write(block)) written += block.length;
      };
      socket.on("drain", more);
      more();
    });
    const { connect } = transport();
    const pipe = await connect({ host: "127.0.0.1", port: server.port }, 5_000);
    await sleep(500);
    expect(written).toBeLessThan(64 * 1024 * 1024);
    pipe.destroy();
  });
});

describe("where a pipe cannot be opened", () => {
  const signal = () => AbortSignal.timeout(5_000);
  const failing = (words: string, status: number, stream = 2) =>
    openPipe(["bash", "-c", `echo '${words}' >&${stream}; exit ${status}`], signal());

  test.each([
    ["the daemon has no such container", "Error: No such container: stalwart", 1],
    ["the container does not run", "Error response from daemon: Container 4f2 is not running", 1],
    ["the ssh line is refused", "ssh: connect to host kvm port 22: Connection refused", 255],
  ])("because %s, its words are the error", async (_, words, status) => {
    const error: unknown = await failing(words, status).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UnreachableError);
    expect((error as Error).message).toBe(words);
  });

  test.each([
    // Docker 20.10 on standard output; others on standard error, or with runc's line in it.
    [
      1,
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "bash": executable file not found in $PATH: unknown',
    ],
    [
      2,
      'OCI runtime exec failed: exec failed: container_linux.go:380: starting container process caused: exec: "bash": executable file not found in $PATH: unknown',
    ],
  ])(
    "because the image has no bash, which is not waited for, the error says so and which has",
    async (stream, words) => {
      const error: unknown = await failing(words, 126, stream).catch((e: unknown) => e);
      expect(error).not.toBeInstanceOf(UnreachableError);
      expect(String(error)).toContain("there is no bash");
      expect(String(error)).toContain("without -alpine");
    },
  );

  test("because the CLI is not there, the error names it", async () => {
    await expect(openPipe(["no-such-docker"], signal())).rejects.toThrow(/^no-such-docker: /);
  });

  test("because the login cannot be read, the error names its file", async () => {
    const { port } = await tcp(() => undefined);
    await expect(openPipe(pumpTo({ host: "127.0.0.1", port }, "/none/api"), signal())).rejects.toThrow(
      "/none/api: No such file or directory",
    );
  });
});
