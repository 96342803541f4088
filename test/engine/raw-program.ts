import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { requirePulumi } from "./toolchain.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export interface Run {
  readonly code: number;
  /** stdout and stderr, without colours. */
  readonly output: string;
}

/** A Pulumi project of a stranger: plain resources, none of tailwart's components or config, with a state of its own. */
export interface RawProgram {
  /** Previews the program with tailwart's policy pack. */
  preview(program: string, policyConfig?: object): Promise<Run>;
  remove(): void;
}

/** What stands in front of each program. Preview must not need a Docker daemon, so the check of it is off. */
const PREAMBLE = `
const pulumi = require("@pulumi/pulumi");
const docker = require("@pulumi/docker");
const random = require("@pulumi/random");
const provider = new docker.Provider("docker", { host: "unix:///nowhere/docker.sock", disableDockerDaemonCheck: true });
const container = (name, args) =>
  new docker.Container(name, { image: "example.org/app@sha256:${"0".repeat(64)}", networkMode: "bridge", ...args }, { provider });
`;

/** Makes a project in a new directory, with an empty stack on a file backend. */
export async function makeRawProgram(): Promise<RawProgram> {
  const { pulumi, env } = requirePulumi(["docker", "random"]);
  const dir = mkdtempSync(join(tmpdir(), "tailwart-raw-"));
  mkdirSync(join(dir, "state"));
  mkdirSync(join(dir, "program"));
  const cwd = join(dir, "program");
  symlinkSync(join(ROOT, "node_modules"), join(cwd, "node_modules"));
  writeFileSync(join(cwd, "Pulumi.yaml"), "name: raw\nruntime: nodejs\n");
  writeFileSync(
    join(cwd, "package.json"),
    JSON.stringify({
      name: "raw",
      main: "index.js",
      dependencies: { "@pulumi/docker": "5.2.0", "@pulumi/random": "4.21.2" },
    }),
  );
  const full = {
    ...env,
    PULUMI_HOME: join(dir, "home"),
    PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
  };
  const run = (...args: string[]): Promise<Run> =>
    new Promise((done) => {
      execFile(
        pulumi,
        [...args, "--non-interactive", "--color", "never"],
        { cwd, env: full, maxBuffer: 2 ** 26 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
          done({ code, output: stdout + stderr });
        },
      );
    });
  writeFileSync(join(cwd, "index.js"), "");
  const init = await run("stack", "init", "raw");
  if (init.code !== 0) throw new Error(`pulumi stack init failed:\n${init.output}`);
  return {
    preview(program, policyConfig) {
      writeFileSync(join(cwd, "index.js"), PREAMBLE + program);
      const args = ["preview", "--stack", "raw", "--policy-pack", join(ROOT, "policies/tailwart-policies")];
      if (policyConfig) {
        writeFileSync(join(dir, "policy-config.json"), JSON.stringify(policyConfig));
        args.push("--policy-pack-config", join(dir, "policy-config.json"));
      }
      return run(...args);
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
