import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";

import { preview } from "../../cli/review/engine-runs.ts";
import { openTemporaryStack } from "../../cli/review/engine.ts";
import { runOf, runsOf, wrongIn } from "../unit/cli/review/sarif-spec.ts";
import { makeRawProgram, type RawProgram } from "./raw-program.ts";
import { deployedState } from "./review-state.ts";
import { startTailscaleApi, type TailscaleApi } from "./tailscale-api.ts";
import { requirePulumi } from "./toolchain.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const REVIEW_CONFIG = join(PROJECT, "Pulumi.review.yaml");
const PASSWORD = "opensesame-for-tests";

let folder: string;
let raw: RawProgram;
let api: TailscaleApi;

interface Done {
  code: number;
  said: string;
  markdown: string;
  sarif: object;
  /** What was appended to the GitHub job's summary. */
  summary: string;
}

let runs = 0;

/** Runs one of the two commands as a user does, and reads what it has written. */
function command(
  name: "review" | "audit",
  args: string[],
  options: { env?: Record<string, string>; offline?: boolean } = {},
): Promise<Done> {
  const out = join(folder, `out-${++runs}`);
  const summary = `${out}.summary`;
  // Nobody's login, credentials and ssh keys.
  const clean = Object.entries(requirePulumi(["docker", "random", "command", "tailscale"]).env).filter(
    ([key]) => !/^(?:TAILSCALE_|PULUMI_CONFIG_PASSPHRASE|PULUMI_BACKEND_URL|PULUMI_ACCESS|SSH_)/.test(key),
  );
  const env = { ...Object.fromEntries(clean), GITHUB_STEP_SUMMARY: summary, ...options.env };
  const alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const script = [process.execPath, join(PROJECT, "cli", `${name}.ts`), ...args, "--out", out];
  const argv = [...(options.offline ? alone : []), ...script];
  const read = (file: string) => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return "";
    }
  };
  return new Promise((done) => {
    execFile(
      argv[0] as string,
      argv.slice(1),
      { cwd: PROJECT, env, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) =>
        done({
          code: error === null ? 0 : typeof error.code === "number" ? error.code : -1,
          said: stdout + stderr,
          markdown: read(join(out, `${name}.md`)),
          sarif: JSON.parse(read(join(out, `${name}.sarif`)) || "{}") as object,
          summary: read(summary),
        }),
    );
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-review-test-"));
  api = await startTailscaleApi();
  raw = await makeRawProgram();
});
afterAll(() => {
  raw?.remove();
  api?.close();
  rmSync(folder, { recursive: true, force: true });
});

const VIOLATING = `
  container("app", { envs: ["DB_HOST=100.101.102.103", pulumi.secret("DB_PASSWORD=${PASSWORD}")] });
  const password = new random.RandomPassword("password", { length: 20 });
  container("other", { envs: [password.result] });`;

/** A stranger's stack on a backend of its own, as the user's environment names it. */
const ownBackend = (program: RawProgram) => ({
  PULUMI_BACKEND_URL: `file://${join(program.directory, "..", "state")}`,
  PULUMI_CONFIG_PASSPHRASE: "test",
  TAILSCALE_API_KEY: "none",
});

describe("a plan that is kept", () => {
  const program = (name: string) => `
    const secret = new pulumi.Config().requireSecret("password");
    new random.RandomString("${name}", { length: 5, keepers: { secret } });`;

  test("is all that is deployed: a program that has changed since is refused", async () => {
    const own = await makeRawProgram();
    try {
      await own.run("config", "set", "--stack", "raw", "--secret", "password", PASSWORD);
      await own.preview(program("reviewed"));
      const plan = join(folder, "plans", "plan.json");
      const args = ["--cwd", own.directory, "--stack", "raw", "--save-plan", plan];
      const { code, said, markdown } = await command("review", args, { env: ownBackend(own) });
      expect(code, said).toBe(0);
      expect(markdown).toContain("**reviewed**");
      expect(readFileSync(plan, "utf8")).not.toContain(PASSWORD);
      const up = () => own.run("up", "--yes", "--stack", "raw", "--plan", plan);
      await own.preview(program("slipped-in"));
      const refused = await up();
      expect(refused.code).not.toBe(0);
      expect(refused.output).toContain("not allowed by the plan");
      await own.preview(program("reviewed"));
      const deployed = await up();
      expect(deployed.code, deployed.output).toBe(0);
    } finally {
      own.remove();
    }
  });

  test("is none where a policy refuses it", async () => {
    const own = await makeRawProgram();
    try {
      await own.run("config", "set", "--stack", "raw", "a", "b");
      await own.preview('container("app", { envs: ["DB_HOST=100.101.102.103"] });');
      const plan = join(folder, "refused-plan.json");
      const args = ["--cwd", own.directory, "--stack", "raw", "--save-plan", plan];
      const { code } = await command("review", args, { env: ownBackend(own) });
      expect(code).toBe(1);
      expect(existsSync(plan)).toBe(false);
    } finally {
      own.remove();
    }
  });
});

/**
 * Each case is a preview or more of a whole stack; the lab's tests audit and review a deployed one
 * in CI as well.
 */
const full = describe.runIf(process.env["TAILWART_FULL"]);

describe("the review of a change from a fork", () => {
  test("needs no network, secret, login or credential: every stack file is previewed and judged", async () => {
    const { code, said, markdown, sarif, summary } = await command("review", [], { offline: true });
    expect(code, said).toBe(0);
    expect(markdown.match(/^## .*$/gm)).toEqual([
      "## ✅ Review of the stack `prod`",
      "## ✅ Review of the stack `review`",
    ]);
    expect(markdown).toMatch(/\*\*mail-stalwart-server\*\* \(`docker:index\/container:Container`\)/);
    expect(markdown).toMatch(/Judged by tailwart \d/);
    expect(markdown).not.toMatch(/### Violations|### What went wrong/);
    expect(wrongIn(sarif)).toEqual([]);
    expect(
      runsOf(sarif)
        .flatMap(({ results }) => results)
        .filter(({ level }) => level === "error"),
    ).toEqual([]);
    expect(summary).toBe(`${markdown}\n`);
  });

  test.runIf(process.env["TAILWART_FULL"])(
    "leaves no trace in the project, and its report names no folder of the machine",
    async () => {
      const before = readFileSync(REVIEW_CONFIG, "utf8");
      const { markdown, sarif } = await command("review", []);
      expect(readFileSync(REVIEW_CONFIG, "utf8")).toBe(before);
      expect(markdown + JSON.stringify(sarif)).not.toContain(PROJECT);
    },
  );

  test("takes dummies for the secrets of a stack that is deployed, and asks nobody for its key", async () => {
    const config = join(folder, "deployed.yaml");
    const { config: values, ...rest } = parse(readFileSync(REVIEW_CONFIG, "utf8")) as Record<string, object>;
    const secrets = {
      "tailwart:postgresPassword": { secure: "AAAA" },
      "tailwart:registries": [{ address: "registry.example.org", username: "app" }],
      "tailwart:registryPasswords": { "registry.example.org": { secure: "BBBB" } },
    };
    const provider = "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k";
    const text = stringify({
      secretsprovider: provider,
      encryptedkey: "CCCC",
      ...rest,
      config: { ...values, ...secrets },
    });
    writeFileSync(config, text);
    const args = ["--stack", "prod", "--config-file", config, "--from-nothing"];
    const { code, said, markdown } = await command("review", args, { offline: true });
    expect(code, said).toBe(0);
    expect(markdown).toMatch(/^## ✅ Review of the stack `prod`/);
    expect(markdown).not.toMatch(/### Violations/);
    expect(readFileSync(config, "utf8")).toBe(text);
  });

  test("is written, too, when the config is refused: key, what it accepts, and its line", async () => {
    const config = join(folder, "refused.yaml");
    const text = readFileSync(REVIEW_CONFIG, "utf8").replace("mailHost: mail.example.org", "mailHost: 7");
    writeFileSync(config, text);
    const { code, markdown, sarif, said } = await command("review", ["--config-file", config]);
    expect(code).toBe(1);
    expect(said).toContain("tailwart:mailHost accepts a DNS name");
    expect(markdown).toMatch(/^## ❌/);
    expect(markdown).toMatch(/### What went wrong\n[^]*tailwart:mailHost accepts a DNS name/);
    const [result] = runOf(sarif).results;
    const line = text.split("\n").findIndex((each) => each.includes("tailwart:mailHost")) + 1;
    expect(result?.locations[0]?.physicalLocation.region.startLine).toBe(line);
  });
});

describe("the review of a program that violates a policy", () => {
  test("is written although the preview fails: path, why and fix, and never a secret", async () => {
    await raw.preview(VIOLATING);
    const args = ["--cwd", raw.directory, "--stack", "fresh"];
    const { code, said, markdown, sarif } = await command("review", args);
    expect(code).toBe(1);
    expect(markdown).toContain("`envs (DB_HOST)` holds 100.101.102.103, the address of one tailnet node");
    expect(markdown).toMatch(/Why: .*changes when it registers again/);
    expect(markdown).toMatch(/fix: .*MagicDNS name/);
    expect(markdown).toMatch(
      /`no-hardcoded-tailnet-ip` at \*\*other\*\* .*\n {2}- `envs\[0\]`: unknown until the update/,
    );
    expect(wrongIn({ ...sarif })).toEqual([]);
    const error = runOf(sarif).results.find(({ level }) => level === "error");
    expect(error?.message.text).toMatch(/^envs \(DB_HOST\) holds .*\nWhy: .*\nFix: /);
    expect(markdown + said + JSON.stringify(sarif)).not.toContain(PASSWORD);
    // The terminal's own lines, 80 columns wide.
    for (const line of said.split("\n").filter((each) => !/\S{60}/.test(each)))
      expect(line.length).toBeLessThanOrEqual(80);
  });

  test("lists an exception with its reason and end, and passes with it", async () => {
    const urn = "urn:pulumi:*::raw::docker:index/container:Container::app";
    const exception = {
      policy: "no-hardcoded-tailnet-ip",
      urn,
      reason: "moves next week",
      expires: "2999-12-31",
    };
    const file = join(raw.directory, "policy-exceptions.jsonc");
    writeFileSync(file, JSON.stringify({ exceptions: [exception] }));
    const { code, markdown } = await command("review", ["--cwd", raw.directory, "--stack", "fresh"]);
    rmSync(file);
    expect(markdown).toMatch(
      /\| `no-hardcoded-tailnet-ip` \| \*\*app\*\* .* \| 2999-12-31 \| moves next week \|/,
    );
    expect(markdown).not.toContain("### Violations");
    expect(code).toBe(0);
  });

  test("tells of a program that cannot run", async () => {
    await raw.preview('throw new Error("no such host");');
    const { code, markdown } = await command("review", ["--cwd", raw.directory, "--stack", "fresh"]);
    expect(code).not.toBe(0);
    expect(markdown).toMatch(/### What went wrong[^]*no such host/);
  });
});

full("the review of prod from a copy of its state", () => {
  let args: string[];

  beforeAll(async () => {
    const opened = await openTemporaryStack({ stack: "prod", project: PROJECT, configFile: REVIEW_CONFIG });
    const { events } = await preview(opened);
    await opened.remove();
    const state = join(folder, "state.json");
    writeFileSync(state, deployedState(events));
    const config = join(folder, "Pulumi.prod.yaml");
    writeFileSync(config, deployedConfig(await encrypted(PASSWORD)));
    args = ["--stack", "prod", "--state", state, "--config-file", config];
  });

  /** The salt and the encrypted password, as `pulumi config set --secret` writes them. */
  async function encrypted(password: string): Promise<Record<string, unknown>> {
    const cwd = join(folder, "init");
    mkdirSync(join(cwd, "state"), { recursive: true });
    writeFileSync(join(cwd, "Pulumi.yaml"), "name: tailwart\nruntime: nodejs\n");
    const found = requirePulumi();
    const env = {
      ...found.env,
      PULUMI_BACKEND_URL: `file://${cwd}/state`,
      PULUMI_CONFIG_PASSPHRASE: "right",
    };
    const pulumi = (...words: string[]) =>
      new Promise<void>((done, fail) =>
        execFile(found.pulumi, ["--non-interactive", ...words], { cwd, env }, (error) =>
          error ? fail(error) : done(),
        ),
      );
    await pulumi("stack", "init", "prod");
    await pulumi("config", "set", "--stack", "prod", "--secret", "tailwart:postgresPassword", password);
    return parse(readFileSync(join(cwd, "Pulumi.prod.yaml"), "utf8")) as Record<string, unknown>;
  }

  /** Pulumi.review.yaml with the secret, and another image for the edge. */
  function deployedConfig(made: Record<string, unknown>): string {
    const { config } = parse(readFileSync(REVIEW_CONFIG, "utf8")) as {
      config: Record<string, Record<string, string>>;
    };
    const images = { ...config["tailwart:images"] };
    images["edge"] = `registry.example.org/caddy-l4:2.12.0@sha256:${"1".repeat(64)}`;
    return stringify({
      ...made,
      config: { ...config, "tailwart:images": images, ...(made["config"] as object) },
    });
  }

  test("needs its passphrase, and neither network nor ssh key nor token; says what is replaced and how long mail is down", async () => {
    const env = { PULUMI_CONFIG_PASSPHRASE: "right" };
    const { code, said, markdown, sarif } = await command("review", args, { env, offline: true });
    expect(code, said).toBe(0);
    expect(markdown).toMatch(
      /\| `edge-caddy` \| replace \| estimate 10 s \| .*until the new Caddy listens \|/,
    );
    expect(markdown).toMatch(/`image` \(replaces\): `.*caddy-l4:2\.11\.9@.*` → `.*caddy-l4:2\.12\.0@/);
    expect(markdown).not.toMatch(/\| `mail-(?:anchor|sidecar)` \|/);
    expect(wrongIn(sarif)).toEqual([]);
    expect(markdown + said + JSON.stringify(sarif)).not.toContain(PASSWORD);
  });

  test("with another passphrase is refused, and the report says why", async () => {
    const { code, markdown } = await command("review", args, { env: { PULUMI_CONFIG_PASSPHRASE: "wrong" } });
    expect(code).not.toBe(0);
    expect(markdown).toMatch(/### What went wrong[^]*passphrase/);
  });
});

full("an audit", () => {
  const container = (envs: string[]) =>
    JSON.stringify({
      version: 3,
      deployment: {
        manifest: { time: "2026-01-01T00:00:00Z", magic: "", version: "" },
        resources: [
          {
            urn: "urn:pulumi:prod::shop::docker:index/container:Container::app",
            custom: true,
            id: "abc",
            type: "docker:index/container:Container",
            inputs: { image: `example.org/app@sha256:${"0".repeat(64)}`, name: "app", user: "1000", envs },
          },
        ],
      },
    });

  test.each([
    [0, "is clean", ["DB_HOST=the-record-prod"], /^## ✅ Audit[^]*\*\*clean/],
    [1, "is not", ["DB_HOST=100.101.102.103"], /### Violations \(1\)[^]*`envs \(DB_HOST\)` holds/],
  ])("of a state in a file ends with %d when it %s", async (expected, _, envs, says) => {
    const file = join(folder, "export.json");
    writeFileSync(file, container(envs));
    const { code, said, markdown, sarif } = await command("audit", ["--file", file], { offline: true });
    expect(code, said).toBe(expected);
    expect(markdown).toMatch(says);
    expect(markdown).not.toContain("Drift");
    expect(wrongIn(sarif)).toEqual([]);
  });

  test("of a deployed stack ends with 0, and after a change past Pulumi with 3 and what was changed", async () => {
    const env = {
      TAILSCALE_API_KEY: "test",
      TAILSCALE_BASE_URL: api.url,
      PULUMI_BACKEND_URL: `file://${join(raw.directory, "..", "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
    };
    Object.assign(process.env, { TAILSCALE_API_KEY: "test", TAILSCALE_BASE_URL: api.url });
    api.untouched = true;
    const deployer = await makeRawProgram();
    try {
      env.PULUMI_BACKEND_URL = `file://${join(deployer.directory, "..", "state")}`;
      await deployer.preview('acl("policy", { grants: [] }, {}, { protect: true })');
      const up = await deployer.run("up", "--yes", "--skip-preview", "--stack", "raw");
      expect(up.code, up.output).toBe(0);
      const audit = () => command("audit", ["--stack", "raw", "--cwd", deployer.directory], { env });
      const clean = await audit();
      expect(clean.code, clean.said + clean.markdown).toBe(0);
      expect(clean.markdown).toContain("None: what runs is what the state says.");
      api.policy = '{"grants": [{"src": ["*"], "dst": ["tag:db"], "ip": ["tcp:5432"]}]}';
      const drifted = await audit();
      expect(drifted.code, drifted.said).toBe(3);
      expect(drifted.markdown).toMatch(/### Drift \(1\)[^]*`acl`: .* → .*tag:db/);
      expect(wrongIn(drifted.sarif)).toEqual([]);
    } finally {
      deployer.remove();
    }
  });
});

full("wrong usage", () => {
  test.each<["review" | "audit", string[]]>([
    ["review", ["--nothing"]],
    ["review", ["--name", "lab", "--stack", "prod"]],
    ["review", ["--base", "main", "--state", "state.json"]],
    ["review", ["--save-plan", "plan.json"]],
    ["audit", ["--file", "a", "--stack", "b"]],
  ])("%s %j ends with 2 and how it is written", async (name, args) => {
    const { code, said } = await command(name, args);
    expect(code).toBe(2);
    expect(said).toContain(`Usage: npm run ${name}`);
    for (const line of said.split("\n").slice(1)) expect(line.length, line).toBeLessThanOrEqual(80);
  });
});
