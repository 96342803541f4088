import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cacheRoot, dropAbandoned, folderHash, keyOf, makeWhole } from "../../../tools/cache.mjs";

const TOOLS = resolve(import.meta.dirname, "../../../tools");
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tailwart-cache-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("the cache's root", () => {
  test("is TAILWART_CACHE, else below XDG_CACHE_HOME, else below ~/.cache", () => {
    expect(cacheRoot({ TAILWART_CACHE: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
    expect(cacheRoot({ XDG_CACHE_HOME: "/b" })).toBe("/b/tailwart");
    expect(cacheRoot({})).toMatch(/\/\.cache\/tailwart$/);
  });
});

describe("a key", () => {
  test("is the same for the same parts and another when a part, its type or its place differs", () => {
    const keys = [keyOf("a", 1), keyOf("a", "1"), keyOf(1, "a"), keyOf("a", 2), keyOf(["a", 1])];
    expect(keyOf("a", 1)).toBe(keys[0]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("a folder's hash follows contents, names and added files, and not the build output", () => {
    mkdirSync(join(dir, "src/target"), { recursive: true });
    writeFileSync(join(dir, "src/a"), "1");
    const hashes = [folderHash(dir)];
    writeFileSync(join(dir, "src/target/x"), "built");
    expect(folderHash(dir)).toBe(hashes[0]);
    writeFileSync(join(dir, "src/a"), "2");
    hashes.push(folderHash(dir));
    writeFileSync(join(dir, "src/b"), "");
    hashes.push(folderHash(dir));
    rmSync(join(dir, "src/b"));
    writeFileSync(join(dir, "b"), "");
    hashes.push(folderHash(dir));
    expect(new Set(hashes).size).toBe(4);
  });
});

describe("a folder of the cache is whole or not there", () => {
  test("it appears under its name only when it is filled", async () => {
    const target = join(dir, "piece-1");
    const answer = await makeWhole(target, (folder) => {
      writeFileSync(join(folder, "file"), "text");
      expect(existsSync(target)).toBe(false);
      return 7;
    });
    expect(answer).toBe(7);
    expect(readFileSync(join(target, "file"), "utf8")).toBe("text");
    expect(readdirSync(dir)).toEqual(["piece-1"]);
  });

  test("a failure leaves nothing", async () => {
    const fill = (folder: string): never => {
      writeFileSync(join(folder, "half"), "");
      throw new Error("no space");
    };
    await expect(makeWhole(join(dir, "piece-1"), fill)).rejects.toThrow("no space");
    expect(readdirSync(dir)).toEqual([]);
  });

  test("what another run made meanwhile is kept", async () => {
    const target = join(dir, "piece-1");
    await makeWhole(target, () => {
      mkdirSync(target);
      writeFileSync(join(target, "theirs"), "");
    });
    expect(readdirSync(target)).toEqual(["theirs"]);
  });

  /** A process that fills a folder and hangs; answers when it has begun. */
  async function half(): Promise<ReturnType<typeof spawn>> {
    const program = `
      import { writeFileSync } from "node:fs";
      import { makeWhole } from "${TOOLS}/cache.mjs";
      import { cleanUpOnSignals } from "${TOOLS}/run.mjs";
      cleanUpOnSignals();
      await makeWhole("${dir}/piece-1", async (folder) => {
        writeFileSync(folder + "/half", "");
        console.log("begun");
        await new Promise((done) => setTimeout(done, 60_000));
      });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    await new Promise((done) => child.stdout.once("data", done));
    expect(readdirSync(dir)).toEqual([expect.stringMatching(/^piece-1\.tmp-\d+-[0-9a-f]{8}$/)]);
    return child;
  }

  test("Ctrl-C leaves nothing, exits with 130 and says how to go on", async () => {
    const child = await half();
    let text = "";
    child.stderr?.on("data", (chunk) => (text += String(chunk)));
    child.kill("SIGINT");
    expect(await new Promise((done) => child.once("close", done))).toBe(130);
    expect(readdirSync(dir)).toEqual([]);
    expect(text).toContain("running the same command again goes on from here");
  });

  test("a kill leaves no folder under the piece's name, and the next run takes the rest away", async () => {
    const child = await half();
    dropAbandoned(dir);
    expect(readdirSync(dir), "a living run's folder stays").toHaveLength(1);
    child.kill("SIGKILL");
    await new Promise((done) => child.once("close", done));
    expect(existsSync(join(dir, "piece-1"))).toBe(false);
    await sleep(10);
    dropAbandoned(dir);
    expect(readdirSync(dir)).toEqual([]);
  });
});
