// A pull request from a fork, with git and the engine as they are, and without GitHub: three clones
// stand for the repository, the fork, and the runner of `review.yml`, which has neither network nor
// secret.
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Report } from "../../cli/review/model.ts";
import { runsOf, wrongIn } from "../unit/cli/review/sarif-spec.ts";
import { requirePulumi } from "./toolchain.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const AUTHOR = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];

let folder: string;
let upstream: string;

const git = (cwd: string, ...args: string[]): string =>
  execFileSync("git", [...AUTHOR, ...args], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();

/** The repository that people fork: this working tree's files as its first commit. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tailwart-fork-"));
  upstream = join(folder, "upstream");
  const listed = git(PROJECT, "ls-files", "-z", "--cached", "--others", "--exclude-standard");
  for (const file of listed.split("\0").filter((each) => each !== "")) {
    mkdirSync(dirname(join(upstream, file)), { recursive: true });
    cpSync(join(PROJECT, file), join(upstream, file), { force: true });
  }
  git(upstream, "init", "--quiet", "--initial-branch=main");
  git(upstream, "add", "--all");
  git(upstream, "commit", "--quiet", "--message=first");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface PullRequest {
  code: number;
  said: string;
  markdown: string;
  sarif: object;
  reports: Report[];
  /** What the runner's clone then has that git does not know. */
  left: string;
}

let numbers = 0;

/**
 * Clones the repository, commits a change, and has the runner review what GitHub would have it
 * check out: the merge of both, two commits deep, as actions/checkout fetches it.
 */
async function pullRequest(change: (fork: string) => void, ...args: string[]): Promise<PullRequest> {
  const number = ++numbers;
  const [fork, runner] = ["fork", "runner"].map((name) => join(folder, `${name}-${number}`)) as [
    string,
    string,
  ];
  git(folder, "clone", "--quiet", upstream, fork);
  change(fork);
  git(fork, "commit", "--quiet", "--all", "--message=change");
  const merge = `refs/pull/${number}/merge`;
  git(upstream, "fetch", "--quiet", fork, `main:refs/pull/${number}/head`);
  git(upstream, "checkout", "--quiet", "--detach", "main");
  git(upstream, "merge", "--quiet", "--no-ff", "--message=merge", `refs/pull/${number}/head`);
  git(upstream, "update-ref", merge, "HEAD");
  git(upstream, "checkout", "--quiet", "main");
  mkdirSync(runner);
  git(runner, "init", "--quiet");
  git(runner, "fetch", "--quiet", "--depth=2", `file://${upstream}`, merge);
  git(runner, "checkout", "--quiet", "--detach", "FETCH_HEAD");
  symlinkSync(join(PROJECT, "node_modules"), join(runner, "node_modules"));
  return review(runner, ["--base", "HEAD^1", ...args]);
}

function review(runner: string, args: string[]): Promise<PullRequest> {
  const out = join(runner, "..", `${runner}-out`);
  const clean = Object.entries(requirePulumi(["docker", "random", "command", "tailscale"]).env).filter(
    ([key]) =>
      !/^(?:TAILSCALE_|PULUMI_CONFIG_PASSPHRASE|PULUMI_BACKEND_URL|PULUMI_ACCESS|SSH_|GITHUB_)/.test(key),
  );
  const alone = ["--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const argv = [...alone, process.execPath, "cli/review.ts", ...args, "--json", "--out", out];
  const options = { cwd: runner, env: Object.fromEntries(clean), maxBuffer: 2 ** 26 };
  return new Promise((done) => {
    execFile("unshare", argv, options, (error, stdout, stderr) =>
      done({
        code: error === null ? 0 : typeof error.code === "number" ? error.code : -1,
        said: stderr,
        markdown: readFileSync(join(out, "review.md"), "utf8"),
        sarif: JSON.parse(readFileSync(join(out, "review.sarif"), "utf8")) as object,
        reports: JSON.parse(stdout) as Report[],
        left: `${git(runner, "status", "--porcelain")}${git(runner, "worktree", "list").split("\n").slice(1).join()}`,
      }),
    );
  });
}

/** Edits a file of a clone; the text that is replaced must be there. */
function edit(fork: string, file: string, from: string | RegExp, to: string): void {
  const path = join(fork, file);
  const text = readFileSync(path, "utf8");
  expect(text).toMatch(from);
  writeFileSync(path, text.replace(from, to));
}

/** Half a minute each, so CI has the one that a stranger's address must not pass. */
const full = test.runIf(process.env["TAILWART_FULL"]);

describe("a pull request from a fork", () => {
  test("that writes a node's address as the relay into Pulumi.prod.yaml is red", async () => {
    const { code, said, markdown, reports, sarif, left } = await pullRequest((fork) =>
      edit(fork, "Pulumi.prod.yaml", "host: mailbox", "host: 100.101.102.103"),
    );
    expect(code, said).not.toBe(0);
    expect(reports.map(({ stack, result }) => [stack, result])).toEqual([
      ["prod", "failed"],
      ["review", "succeeded"],
    ]);
    expect(markdown).toMatch(/^## ❌ Review of the stack `prod` against `HEAD\^1` \([0-9a-f]{7}\)/);
    expect(markdown).toMatch(/tailwart:relay\.host is a tailnet address/);
    expect(markdown).toContain("Not known: the preview came to no end.");
    expect(wrongIn(sarif)).toEqual([]);
    const found = runsOf(sarif).flatMap(({ results }) => results);
    expect(found[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe("Pulumi.prod.yaml");
    expect(left).toBe("");
  });

  full("that deploys a program which dials a node by its address is red, and the finding new", async () => {
    const { code, reports, markdown } = await pullRequest(
      (fork) => {
        edit(fork, "index.ts", /^import \{ CaddyEdge/m, 'import * as docker from "@pulumi/docker";\n$&');
        const app = `new docker.Container("app", { image: config.images.anchor, user: "1000", envs: ["DB_HOST=100.101.102.103"] }, { provider: kvm });`;
        edit(fork, "index.ts", /^const policy = /m, `${app}\n\n$&`);
      },
      "--stack",
      "prod",
    );
    expect(code).toBe(1);
    const [report] = reports;
    expect(report?.violations.filter(({ isNew }) => !isNew)).toEqual([]);
    expect(report?.violations.map(({ policy }) => policy)).toContain("no-hardcoded-tailnet-ip");
    expect(report?.changes.map(({ op, urn }) => [op, urn.split("::").at(-1)])).toEqual([["create", "app"]]);
    expect(markdown).toContain("- new: **app**");
  });

  full(
    "that changes settings, the edge and the policy file shows just that, property by property",
    async () => {
      const { code, said, reports, markdown, left } = await pullRequest(
        (fork) => {
          edit(fork, "Pulumi.prod.yaml", "host: mailbox", "host: smarthost");
          edit(fork, "Pulumi.prod.yaml", "127.0.0.1:8000", "127.0.0.1:8001");
          edit(fork, "Pulumi.prod.yaml", "anchor: busybox:1.37.0", "anchor: busybox:1.38.0");
          edit(fork, "tailnet.base.hujson", /\n\}\s*$/, '\n  "hosts": { "printer": "192.0.2.9" },\n}\n');
        },
        "--stack",
        "prod",
      );
      expect(code, said).toBe(0);
      const change = (name: string) => reports[0]?.changes.find(({ urn }) => urn.endsWith(`::${name}`));
      // Settings: by their own names, old and new.
      expect(change("mail-settings-stalwart")).toMatchObject({
        op: "update",
        properties: [
          {
            path: 'objects["MtaRoute/smarthost"].address',
            old: "mailbox.tail7b1641.ts.net",
            new: "smarthost.tail7b1641.ts.net",
          },
        ],
      });
      // Caddy's config and the policy file: as lines.
      const lines = (name: string, path: string) =>
        change(name)
          ?.properties.find((each) => each.path === path)
          ?.lines?.split("\n") ?? [];
      const changed = (all: string[]) =>
        all.filter((line) => /^[-+]/.test(line)).map((line) => line.replace(/\s+/, ""));
      expect(changed(lines("edge-reload", "stdin"))).toEqual([
        '-"dial": "127.0.0.1:8000"',
        '+"dial": "127.0.0.1:8001"',
      ]);
      expect(changed(lines("tailnet-acl", "acl"))).toEqual(['+"hosts": {', '+"printer": "192.0.2.9"', "+},"]);
      // The anchor is replaced for its image, and with it what shares its namespace.
      expect(change("mail-anchor")?.op).toBe("replace");
      expect(change("mail-stalwart-server")?.properties).toContainEqual({
        path: "networkMode",
        follows: change("mail-anchor")?.urn,
        replaces: true,
      });
      expect(markdown).toMatch(/Mail is down for about \*\*60 s\*\*/);
      expect(reports[0]?.changes.some(({ op }) => op === "create" || op === "delete")).toBe(false);
      expect(left).toBe("");
    },
  );
});

test("a base that does not exist is refused in words", async () => {
  const env = requirePulumi().env;
  const done = await new Promise<string>((resolved) =>
    execFile(
      process.execPath,
      [join(PROJECT, "cli/review.ts"), "--base", "--none"],
      { env },
      (_, out, error) => resolved(out + error),
    ),
  );
  expect(done).toMatch(/there is no commit --none|ambiguous/);
});
