import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ensure } from "../../tools/ensure.mjs";

const ROOT = resolve(import.meta.dirname, "../..");

export interface Run {
  readonly code: number;
  /** stdout and stderr, without colours. */
  readonly output: string;
}

/** A small Pulumi project in a folder of its own, run by the toolchain's engine and plugins. */
export interface Project {
  readonly dir: string;
  /** Writes the program, CommonJS with `pulumi` in scope. */
  write(program: string): void;
  pulumi(...args: string[]): Promise<Run>;
  /** `pulumi up`; fails the test when that fails. */
  up(program: string): Promise<Run>;
  /** The stack's outputs, secrets in clear. */
  outputs(): Promise<Record<string, unknown>>;
  /** The checkpoint as text, as it lies on the disk. */
  state(): string;
  remove(): void;
}

/** Makes an empty project with a stack "test" on a file backend. */
export async function makeProject(extraEnv: Record<string, string> = {}): Promise<Project> {
  const { env, programs } = await ensure(["engine"], { quiet: true });
  const dir = mkdtempSync(join(tmpdir(), "tailwart-tools-"));
  const cwd = join(dir, "program");
  mkdirSync(join(dir, "state"));
  mkdirSync(cwd);
  symlinkSync(join(ROOT, "node_modules"), join(cwd, "node_modules"));
  writeFileSync(join(cwd, "Pulumi.yaml"), "name: tools\nruntime: nodejs\n");
  writeFileSync(join(cwd, "package.json"), JSON.stringify({ name: "tools", main: "index.js" }));
  const full = {
    ...process.env,
    ...env,
    PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
    ...extraEnv,
  };
  const write = (program: string): void =>
    writeFileSync(join(cwd, "index.js"), `const pulumi = require("@pulumi/pulumi");\n${program}`);
  const pulumi = (...args: string[]): Promise<Run> =>
    new Promise((done) => {
      execFile(
        programs["pulumi"] ?? "pulumi",
        [...args, "--non-interactive", "--color", "never"],
        { cwd, env: full, maxBuffer: 2 ** 26 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
          done({ code, output: stdout + stderr });
        },
      );
    });
  const mustRun = async (...args: string[]): Promise<Run> => {
    const done = await pulumi(...args);
    if (done.code !== 0) throw new Error(`pulumi ${args[0]} failed:\n${done.output}`);
    return done;
  };
  write("");
  await mustRun("stack", "init", "test");
  return {
    dir,
    write,
    pulumi,
    up(program) {
      write(program);
      return mustRun("up", "--yes", "--stack", "test");
    },
    async outputs() {
      const { output } = await mustRun("stack", "output", "--json", "--show-secrets", "--stack", "test");
      return JSON.parse(output) as Record<string, unknown>;
    },
    state: () => readFileSync(join(dir, "state/.pulumi/stacks/tools/test.json"), "utf8"),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
