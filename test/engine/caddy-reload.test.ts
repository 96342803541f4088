import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { EDGE_START, RELOAD_SCRIPT } from "../../lib/caddy/reload.ts";
import { runCommand } from "../../lib/run-command.ts";
import { requireProgram } from "./toolchain.ts";

let folder: string;
let env: NodeJS.ProcessEnv;
let caddy: ChildProcess;

/** The scripts as in the container, but with their folders below `folder`. */
const moved = (script: string) =>
  script
    .replaceAll("/tmp/", `${folder}/tmp-`)
    .replaceAll("/etc/caddy", `${folder}/etc`)
    .replaceAll("/run/caddy", `${folder}/run`);
const file = () => readFileSync(join(folder, "etc", "caddy.json"), "utf8");

/** A config that answers on a unix socket, so that no port of the machine is taken. */
const config = (text: string) =>
  JSON.stringify({
    admin: { listen: `unix/${join(folder, "run")}/admin.sock`, config: { persist: false } },
    apps: {
      http: {
        servers: {
          web: {
            listen: [`unix/${folder}/web.sock`],
            automatic_https: { disable: true },
            routes: [{ handle: [{ handler: "static_response", body: text }] }],
          },
        },
      },
    },
  });
const reload = (stdin: string) =>
  runCommand("sh", ["-c", moved(RELOAD_SCRIPT)], { stdin, env, deadline: 30_000 });
const answer = async () =>
  (
    await runCommand("curl", ["-s", "--unix-socket", join(folder, "web.sock"), "http://x/"], {
      deadline: 5000,
    })
  ).stdout;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tw-caddy-"));
  for (const name of ["etc", "run", "bin"]) mkdirSync(join(folder, name));
  symlinkSync(requireProgram("caddy"), join(folder, "bin", "caddy"));
  env = {
    PATH: `${join(folder, "bin")}:${dirname(process.execPath)}:/usr/bin:/bin`,
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
  };
  const [shell = "", ...args] = EDGE_START;
  caddy = spawn(shell, args.map(moved), { env, stdio: "ignore" });
});
afterAll(async () => {
  caddy.kill("SIGKILL");
  await sleep(50);
  rmSync(folder, { recursive: true, force: true });
});

test("on an empty volume Caddy starts with its admin API alone, and the first config goes live by reload", async () => {
  const { status, stderr } = await reload(config("first"));
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(await answer()).toBe("first");
  expect(file()).toBe(config("first"));
});

test("a new config goes live in the same process", async () => {
  expect((await reload(config("second"))).status).toBe(0);
  expect(await answer()).toBe("second");
  expect(caddy.exitCode).toBeNull();
});

test("a config that Caddy refuses leaves the file and what is live as they were, and says why (decision 9)", async () => {
  const { status, stderr } = await reload(config("third").replace("static_response", "no_such_handler"));
  expect(status).not.toBe(0);
  expect(stderr).toContain("no_such_handler");
  expect(file()).toBe(config("second"));
  expect(await answer()).toBe("second");
});
