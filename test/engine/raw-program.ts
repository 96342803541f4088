import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { requirePulumi } from "./toolchain.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export interface Run {
  readonly code: number;
  /** stdout and stderr, without colours. */
  readonly output: string;
}

/**
 * A Pulumi project of a stranger: plain resources, none of tailwart's components or config, with a
 * state of its own.
 */
export interface RawProgram {
  /** Previews the program with tailwart's policy pack. */
  preview(program: string, policyConfig?: object): Promise<Run>;
  /** Runs another command of Pulumi's in the program's directory. */
  run(...args: string[]): Promise<Run>;
  /** The program's directory, with its Pulumi.yaml. */
  readonly directory: string;
  remove(): void;
}

/**
 * What stands in front of each program: SDKs, and the resources of a mail stack without tailwart's
 * components and their checks. Preview must not need a Docker daemon, so the check of it is off.
 * What a program does not use is not loaded, and its provider not started.
 */
const PREAMBLE = `
const pulumi = require("@pulumi/pulumi");
const docker = require("@pulumi/docker");
const random = require("@pulumi/random");
const whenUsed = (sdk) => new Proxy({}, { get: (_, name) => require(sdk)[name] });
const command = whenUsed("@pulumi/command");
const tailscale = whenUsed("@pulumi/tailscale");
const provider = new docker.Provider("docker", { host: "unix:///nowhere/docker.sock", disableDockerDaemonCheck: true });
const container = (name, args, opts) =>
  new docker.Container(name, { image: "example.org/app@sha256:${"0".repeat(64)}", networkMode: "bridge", ...args }, { provider, ...opts });
/** The settings resource: keys of Stalwart's settings, and more inputs such as fileSettings. */
const settings = (name, keys, more, opts) =>
  new pulumi.CustomResource("tailwart:mail:Settings", name,
    { target: { dockerHost: "unix:///nowhere/docker.sock", container: "stalwart" }, settings: keys, ...more }, opts);
/** One of tailwart's components by name, such as "Stalwart": its args as a policy sees them, without children. */
const component = (type, name, args, opts) => new pulumi.ComponentResource("tailwart:mail:" + type, name, args, opts);
/**
 * A DNS record of a provider whose plugin is not installed: a component of its type, with its
 * inputs as what it is given and as what a stack policy sees.
 */
const dnsRecord = (type, name, args, opts) =>
  new pulumi.ComponentResource(type, name, args, opts).registerOutputs(args);
/** The tailnet policy file, from an object or as HuJSON. */
const acl = (name, document, args, opts) =>
  new tailscale.Acl(name, { acl: typeof document === "string" ? document : JSON.stringify(document), ...args }, opts);
`;

/** The project's settings: the provider of the settings resource is part of this repository. */
const PROJECT = `name: raw
runtime: nodejs
plugins: { providers: [{ name: tailwart, path: ./provider }] }
`;

/** The project's own versions of Pulumi's SDKs. */
function versionsOf(...sdks: string[]): Record<string, string | undefined> {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  return Object.fromEntries(sdks.map((sdk) => [`@pulumi/${sdk}`, manifest.dependencies[`@pulumi/${sdk}`]]));
}

/** Makes a project in a new directory, with an empty stack on a file backend. */
export async function makeRawProgram(): Promise<RawProgram> {
  const { pulumi, env } = requirePulumi(["docker", "random", "command", "tailscale"]);
  const dir = mkdtempSync(join(tmpdir(), "tailwart-raw-"));
  mkdirSync(join(dir, "state"));
  mkdirSync(join(dir, "program"));
  const cwd = join(dir, "program");
  for (const folder of ["node_modules", "provider"]) symlinkSync(join(ROOT, folder), join(cwd, folder));
  writeFileSync(join(cwd, "Pulumi.yaml"), PROJECT);
  writeFileSync(
    join(cwd, "package.json"),
    JSON.stringify({
      name: "raw",
      main: "index.js",
      dependencies: versionsOf("docker", "random", "command", "tailscale"),
    }),
  );
  const full = {
    ...env,
    PULUMI_HOME: join(dir, "home"),
    PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
    // Asked for by the provider's configuration; a preview makes no request.
    TAILSCALE_API_KEY: "tskey-api-none",
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
    run,
    directory: cwd,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
