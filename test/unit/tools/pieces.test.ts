import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Piece } from "../../../tools/ensure.mjs";
import { forgetNoRoute } from "../../../tools/download.mjs";
import { find, provide } from "../../../tools/pieces.mjs";

const TOOLS = resolve(import.meta.dirname, "../../../tools");
const PROGRAM = "#!/bin/sh\necho 1.2.3\n";
let root: string;
let server: Server;
let url: string;
let served: Record<string, string>;
let requests: string[];

beforeEach(async () => {
  forgetNoRoute();
  root = mkdtempSync(join(tmpdir(), "tailwart-pieces-"));
  const sum = createHash("sha256").update(PROGRAM).digest("hex");
  served = { "/thing": PROGRAM, "/sums": `${"0".repeat(64)}  other\n${sum}  thing\n` };
  requests = [];
  server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    response.writeHead(served[path] === undefined ? 404 : 200).end(served[path]);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

/** What was said on stderr. */
const said = (): string =>
  vi
    .mocked(process.stderr.write)
    .mock.calls.map(([text]) => String(text))
    .join("");

/** A piece with a download; its build takes a program from a fake npm. */
function piece(more: Partial<Piece> = {}): Piece {
  return {
    name: "thing",
    version: "1.2.3",
    group: "lab",
    programs: ["thing"],
    download: { url: `${url}/thing`, sums: `${url}/sums`, take: { thing: "" } },
    build: [{ npm: "thing@1.2.3", take: { thing: "bin/thing" } }],
    ...more,
  };
}

/** Puts an `npm` in front of PATH that "installs" the program, or does what is given. */
function fakeNpm(body = 'd="$3/node_modules/thing/bin"; mkdir -p "$d"; echo built > "$d/thing"'): void {
  const bin = join(root, "fake-bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "npm"), `#!/bin/sh\necho run >> ${root}/npm-runs\n${body}\n`);
  chmodSync(join(bin, "npm"), 0o755);
  vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
}
const npmRuns = (): number => readFileSync(join(root, "npm-runs"), "utf8").trim().split("\n").length;

describe("the official download", () => {
  test("is taken when its sum is right, and asked for once", async () => {
    const found = await provide(piece(), { root });
    expect(found.source).toBe("official download");
    expect(readFileSync(join(found.bin, "thing"), "utf8")).toBe(PROGRAM);
    requests.length = 0;
    expect((await provide(piece(), { root })).folder).toBe(found.folder);
    expect(requests).toEqual([]);
  });

  test("with a wrong sum is thrown away, said so, and the piece is built", async () => {
    served["/thing"] = "tampered";
    fakeNpm();
    const found = await provide(piece(), { root });
    expect(found.source).toBe("npm package");
    expect(said()).toMatch(/has sha256 [0-9a-f]{64}, its publisher says/);
    expect(readFileSync(join(found.bin, "thing"), "utf8")).toBe("built\n");
  });

  test("that is gone (404) is said so, and other hosts are still tried", async () => {
    delete served["/thing"];
    fakeNpm();
    expect((await provide(piece(), { root })).source).toBe("npm package");
    expect(said()).toContain("/thing answers 404");
    expect(
      (
        await provide(
          piece({
            name: "other",
            download: { ...piece().download, url: `${url}/sums` } as Piece["download"] & object,
            build: piece().build,
          }),
          { root },
        )
      ).source,
    ).toBe("npm package");
    expect(requests.filter((path) => path === "/sums").length).toBeGreaterThan(1);
  });

  test("that cannot be connected to falls back within seconds, and no further host is tried in the run", async () => {
    await new Promise((done) => server.close(done));
    fakeNpm();
    const began = Date.now();
    const found = await provide(piece(), { root });
    expect(found.source).toBe("npm package");
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(said()).toContain("no route to downloads (127.0.0.1");
    expect(said()).toContain("ECONNREFUSED");

    const second = createServer((request, response) => {
      requests.push(request.url ?? "");
      response.end();
    });
    await new Promise<void>((done) => second.listen(0, "127.0.0.1", done));
    const elsewhere = `http://127.0.0.1:${(second.address() as AddressInfo).port}`;
    requests.length = 0;
    await provide(
      piece({
        name: "second",
        download: { url: `${elsewhere}/thing`, sums: `${elsewhere}/sums`, take: { thing: "" } },
      }),
      { root },
    );
    expect(requests).toEqual([]);
    second.close();
  });

  test("TAILWART_DOWNLOADS=off goes straight to the build", async () => {
    vi.stubEnv("TAILWART_DOWNLOADS", "off");
    fakeNpm();
    expect((await provide(piece(), { root })).source).toBe("npm package");
    expect(requests).toEqual([]);
  });
});

describe("the build", () => {
  test("that fails says what, why with the last lines, where the log is and what to run; running again goes on", async () => {
    const built = piece({ download: undefined } as unknown as Partial<Piece>);
    fakeNpm("echo the reason >&2; exit 7");
    const failure = await provide(built, { root, again: "node tools/cli.mjs ensure lab" }).catch(
      (error: unknown) => error as Error,
    );
    expect(failure).toMatchObject({ name: "UserError" });
    const { message } = failure as Error;
    expect(message).toMatch(/^thing 1\.2\.3 could not be made: `npm install .*` ended with 7:/);
    expect(message).toContain("the reason");
    expect(message).toContain("Then run again: node tools/cli.mjs ensure lab");
    expect(readFileSync(/The whole log: (\S+)/.exec(message)?.[1] ?? "", "utf8")).toContain("the reason");
    expect(find(built, root)).toBeUndefined();

    fakeNpm();
    expect((await provide(built, { root })).source).toBe("npm package");
  });

  test("that yields not every program of the piece fails and is not kept", async () => {
    fakeNpm();
    vi.stubEnv("TAILWART_DOWNLOADS", "off");
    const two = piece({ programs: ["thing", "helper"] });
    await expect(provide(two, { root })).rejects.toThrow("helper is not in it");
    expect(find(two, root)).toBeUndefined();
    expect(readdirSync(join(root, "tools"))).toEqual([]);
  });

  test("another version is another folder", async () => {
    fakeNpm();
    vi.stubEnv("TAILWART_DOWNLOADS", "off");
    const [first, second] = [
      await provide(piece(), { root }),
      await provide(piece({ version: "1.2.4" }), { root }),
    ];
    expect(first.folder).not.toBe(second.folder);
  });

  test("two runs at once build once; the second one waits and says so", async () => {
    fakeNpm('sleep 1; d="$3/node_modules/thing/bin"; mkdir -p "$d"; echo built > "$d/thing"');
    const program = `
      import { provide } from "${TOOLS}/pieces.mjs";
      const piece = ${JSON.stringify(piece())};
      console.log((await provide(piece, { root: ${JSON.stringify(root)} })).source);`;
    const env = { ...process.env, TAILWART_DOWNLOADS: "off" };
    const runs = await Promise.all(
      [1, 2].map(async () => {
        const child = spawn(process.execPath, ["--input-type=module", "-e", program], { env });
        let text = "";
        for (const stream of [child.stdout, child.stderr])
          stream.on("data", (chunk) => (text += String(chunk)));
        const code = await new Promise((done) => child.once("close", done));
        return { code, text };
      }),
    );
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(npmRuns()).toBe(1);
    const all = runs.map(({ text }) => text).join("");
    expect(all).toMatch(/waiting for process \d+, which makes it right now/);
    expect(all).toContain("made by another run");
  });
});

describe("a program on PATH", () => {
  const own = (version: string, beside: string[] = []): Piece => {
    const bin = join(root, "own-bin");
    mkdirSync(bin, { recursive: true });
    for (const name of ["thing", ...beside]) {
      writeFileSync(join(bin, name), `#!/bin/sh\necho v${version}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
    return piece({ path: { args: ["--version"], atLeast: "1.10.0", beside: ["helper"] } });
  };

  test("is used when it is new enough and complete: 1.10 is newer than 1.9", () => {
    expect(find(own("1.10.1", ["helper"]), root)).toMatchObject({ source: "on PATH", version: "1.10.1" });
  });

  test("that is too old is not used", () => {
    expect(find(own("1.9.9", ["helper"]), root)).toBeUndefined();
  });

  test("without what has to lie beside it is not used", () => {
    expect(find(own("1.10.1"), root)).toBeUndefined();
  });
});
