import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { allPolicies } from "../../policies/rules/index.ts";
import { startPack } from "./pack-process.ts";
import { requirePulumi } from "./toolchain.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const { pulumi, env } = requirePulumi(["docker", "tailscale"]);

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifest = (path: string): Manifest => JSON.parse(readFileSync(join(ROOT, path), "utf8")) as Manifest;
const versions = manifest("package.json").dependencies;

let dir: string;
let shop: string;
let installed: string;
let installMs: number;

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  const full = {
    ...env,
    ...more,
    NO_COLOR: "1",
    PULUMI_HOME: join(dir, "home"),
    PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
    // asked for by the provider's configuration; a preview makes no request
    TAILSCALE_API_KEY: "tskey-api-none",
  };
  return new Promise((done) => {
    execFile(command, args, { cwd, env: full, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      done({ code, output: stdout + stderr });
    });
  });
}
async function must(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, output } = await run(command, args, cwd);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${output}`);
  return output;
}

/**
 * A stranger's shop: a Caddy on a tailnet node of its own in front of a backend, all with Docker.
 */
const program = (given: { database: string; smtp: string; grant: string }): string => `
const pulumi = require("@pulumi/pulumi");
const docker = require("@pulumi/docker");
const tailscale = require("@pulumi/tailscale");

const provider = new docker.Provider("docker", {
  host: "unix:///nowhere/docker.sock",
  disableDockerDaemonCheck: true,
});
const container = (name, args) =>
  new docker.Container(
    name,
    { image: \`registry.example.org/\${name}@sha256:${"0".repeat(64)}\`, labels: [{ label: "app", value: "shop" }], ...args },
    { provider },
  );

new tailscale.Acl("policy", { acl: JSON.stringify({ grants: [${given.grant}] }) }, { protect: true });

const node = container("tailscale", {
  hostname: "web",
  envs: ["TS_EXTRA_ARGS=--advertise-tags=tag:web"],
});
container("caddy", {
  networkMode: pulumi.interpolate\`container:\${node.id}\`,
  uploads: [{ file: "/etc/caddy/Caddyfile", content: "shop.example.org {\\n\\treverse_proxy backend.tail1234.ts.net:8080\\n}\\n" }],
});
container("shop", {
  networkMode: "bridge",
  envs: ["DB_HOST=${given.database}", "SMTP_HOST=${given.smtp}"],
});
`;
const UNSAFE = program({
  database: "100.101.102.103",
  smtp: "[2001:db8::25]:587",
  grant: '{ src: ["tag:backend"], dst: ["tag:web"], ip: ["tcp:8080"] }',
});
const SAFE = program({
  database: "db.tail1234.ts.net",
  smtp: "192.0.2.25",
  grant: '{ src: ["tag:web"], dst: ["*"], ip: ["tcp:8080"] }',
});

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "tailwart-stranger-"));
  shop = join(dir, "shop");
  for (const folder of ["state", "shop"]) mkdirSync(join(dir, folder));
  await must("npm", ["pack", "--pack-destination", dir], join(ROOT, "policies"));
  const [tarball, ...more] = readdirSync(dir).filter((file) => file.endsWith(".tgz"));
  expect(tarball).toMatch(/^tailwart-policies-\d+\.\d+\.\d+\.tgz$/);
  expect(more).toEqual([]);

  const dependencies = Object.fromEntries(
    ["docker", "pulumi", "tailscale"].map((name) => [`@pulumi/${name}`, versions[`@pulumi/${name}`]]),
  );
  writeFileSync(join(shop, "package.json"), JSON.stringify({ name: "shop", main: "index.js", dependencies }));
  writeFileSync(join(shop, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  const started = performance.now();
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await must("npm", ["install", ...quiet, "--save-dev", join(dir, tarball ?? "")], shop);
  installMs = performance.now() - started;
  installed = join(shop, "node_modules/tailwart-policies");
  await must(pulumi, ["stack", "init", "dev", "--non-interactive"], shop);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const PACK = "node_modules/tailwart-policies/tailwart-policies";
const preview = (source: string, pack = PACK, config?: string) => {
  writeFileSync(join(shop, "index.js"), source);
  const args = ["preview", "--stack", "dev", "--non-interactive", "--color", "never", "--policy-pack", pack];
  return run(pulumi, [...args, ...(config === undefined ? [] : ["--policy-pack-config", config])], shop);
};

describe("the package that `npm pack` makes in policies/", () => {
  const files = () => readdirSync(installed, { recursive: true }).map(String);

  test("holds JavaScript, its README and the list of policies, and leaves nothing in the project", () => {
    expect(files()).toEqual(
      expect.arrayContaining([
        "README.md",
        "POLICIES.md",
        "PulumiPolicy.yaml",
        "tailwart-policies",
        "index.js",
      ]),
    );
    expect(files()).toContain(join("dist", "policies", "pack.js"));
    expect(files().filter((file) => file.endsWith(".ts"))).toEqual([]);
    expect(readdirSync(join(ROOT, "policies"))).not.toEqual(expect.arrayContaining(["dist"]));
    expect(readdirSync(join(ROOT, "policies"))).not.toEqual(expect.arrayContaining(["POLICIES.md"]));
  });

  test("has the versions of tailwart's own package.json, and shares the program's Pulumi SDK", () => {
    const { "@pulumi/pulumi": range, ...pinned } = manifest("policies/package.json").dependencies;
    const own = Object.fromEntries(Object.keys(pinned).map((name) => [name, versions[name]]));
    expect(pinned).toEqual(own);
    expect(range).toBe(manifest("node_modules/@pulumi/policy/package.json").dependencies["@pulumi/pulumi"]);
    expect(readdirSync(join(shop, "node_modules"))).toContain("tailwart-policies");
    expect(readdirSync(installed)).not.toContain("node_modules");
  });

  test("starts as an executable and as a directory, with every policy", async () => {
    const every = [...allPolicies.map((policy) => policy.id), "policy-exceptions"];
    const runner = join(shop, "node_modules/@pulumi/pulumi/cmd/run-policy-pack");
    const started = await Promise.all([
      startPack(join(installed, "tailwart-policies"), ["127.0.0.1:1"], { cwd: shop }),
      startPack(process.execPath, [runner, "127.0.0.1:1", installed], { cwd: installed }),
    ]);
    for (const { stdout, policies } of started) {
      expect(stdout).toMatch(/^\d+\n$/);
      expect(policies).toEqual(every);
    }
  });
});

describe("`tailwart-policies check` of the package", () => {
  test("judges a compose file with Node alone: no engine on PATH", async () => {
    const folder = join(dir, "compose");
    mkdirSync(folder);
    writeFileSync(join(folder, "compose.yml"), "services:\n  a:\n    image: a\n    dns: 100.101.102.103\n");
    const command = [join(installed, "tailwart-policies"), "check"];
    const { code, output } = await run(process.execPath, command, folder, {
      PATH: dirname(process.execPath),
    });
    expect(output).toMatch(/^compose\.yml:4: error \[high\] no-hardcoded-tailnet-ip \(lesson 6\)$/m);
    expect(code).toBe(1);
  });
});

describe("a stranger's Docker and Caddy program with the package", () => {
  test("is refused lessons 6, 8 and 11, in under a minute from the install on", async () => {
    const started = performance.now();
    const { code, output } = await preview(UNSAFE);
    const seconds = (installMs + performance.now() - started) / 1000;
    expect(output).toMatch(
      /\[mandatory\].* no-hardcoded-tailnet-ip .*: shop\)\n\s+envs \(DB_HOST\) holds 100\.101\.102\.103/,
    );
    expect(output).toMatch(
      /\[mandatory\].* relay-target-ipv4-only .*: shop\)\n\s+envs \(SMTP_HOST\) relays to 2001:db8::25/,
    );
    expect(output).toMatch(
      /\[mandatory\].* tailnet-flows-granted .*: caddy\)\n\s+uploads\[0\].*needs tag:web to reach backend\.tail1234\.ts\.net:8080/,
    );
    for (const lesson of [6, 8, 11]) expect(output).toContain(`(lesson ${lesson}, https://`);
    expect(output).not.toContain("can't run policy");
    expect(code).not.toBe(0);
    expect(seconds).toBeLessThan(60);
    console.log(`npm install and preview: ${seconds.toFixed(1)} s`);
  });

  test("passes once it is mended", async () => {
    const { code, output } = await preview(SAFE);
    expect(output).toMatch(/docker:index:Container caddy create/);
    expect(output).toContain("tailwart@v");
    expect(output).not.toContain("[mandatory]");
    expect(code).toBe(0);
  });

  test("may be excepted by a file beside its Pulumi.yaml, also for the link in node_modules/.bin", async () => {
    const excepted = [
      ["no-hardcoded-tailnet-ip", "shop"],
      ["relay-target-ipv4-only", "shop"],
      ["tailnet-flows-granted", "caddy"],
    ];
    const exceptions = excepted.map(([policy, name]) => ({
      policy,
      urn: `urn:pulumi:dev::shop::*:Container::${name}`,
      reason: "moves in May",
      expires: "9999-12-31",
    }));
    writeFileSync(join(shop, "policy-exceptions.jsonc"), JSON.stringify({ exceptions }));
    const { code, output } = await preview(UNSAFE, "node_modules/.bin/tailwart-policies");
    expect(output.match(/Excepted until 9999-12-31: moves in May/g)).toHaveLength(3);
    expect(output).not.toMatch(/\[mandatory\]|matched no finding/);
    expect(code).toBe(0);
  });
});

describe("the package beside an SDK that lacks a member which it answers through", () => {
  const sdk = () => join(shop, "node_modules/@pulumi/policy");
  const rename = (from: string, to: string) => {
    for (const file of ["protoutil.js", "server.js"].map((name) => join(sdk(), name)))
      writeFileSync(file, readFileSync(file, "utf8").replaceAll(from, to));
  };
  beforeAll(() => {
    rmSync(join(shop, "policy-exceptions.jsonc"), { force: true });
    rename("makeAnalyzeResponse", "makeAnswer");
  });
  afterAll(() => rename("makeAnswer", "makeAnalyzeResponse"));

  test("is asked in the SDK's own way, says so once, and refuses what it refuses else, at the levels of the policy config", async () => {
    const config = join(dir, "levels.json");
    writeFileSync(
      config,
      JSON.stringify({
        "relay-target-ipv4-only": "advisory",
        "tailnet-flows-granted": "disabled",
        "no-hardcoded-tailnet-ip": { enforcementLevel: "advisory", severity: "low" },
      }),
    );
    const [plain, configured] = [await preview(UNSAFE), await preview(UNSAFE, PACK, config)];
    const [, diagnostics = ""] = plain.output.split("\nDiagnostics:\n");
    expect(diagnostics.match(/asked in the SDK's own way/g)).toHaveLength(1);
    expect(plain.output).toContain("lacks makeAnalyzeResponse of ./protoutil.js");
    for (const policy of ["no-hardcoded-tailnet-ip", "relay-target-ipv4-only", "tailnet-flows-granted"])
      expect(plain.output).toMatch(new RegExp(`\\[mandatory\\].* ${policy} `));
    expect(plain.code).not.toBe(0);
    expect(configured.output).toMatch(/\[advisory\].* relay-target-ipv4-only /);
    expect(configured.output).toMatch(/\[advisory\] \[severity: low\] {2}no-hardcoded-tailnet-ip /);
    expect(configured.output).not.toMatch(/tailnet-flows-granted|\[mandatory\]/);
    expect(configured.code).toBe(0);
  });
});
