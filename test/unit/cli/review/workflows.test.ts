import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";
import { parse } from "yaml";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}
interface Job {
  if?: string;
  permissions?: Record<string, string>;
  "timeout-minutes"?: number;
  env?: Record<string, string>;
  steps: Step[];
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const PROJECT = join(import.meta.dirname, "../../../..");
const FOLDER = join(PROJECT, ".github", "workflows");
const FILES = readdirSync(FOLDER);
const textOf = (file: string) => readFileSync(join(FOLDER, file), "utf8");
const workflow = (file: string) => parse(textOf(file)) as Workflow;
const steps = (job: Job | undefined) => job?.steps ?? [];
const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

describe.each(FILES)("the workflow %s", (file) => {
  const { on, permissions, jobs } = workflow(file);

  test("never runs a pull request's code with the repository's own rights", () => {
    expect(Object.keys(on)).not.toContain("pull_request_target");
    expect(Object.keys(on)).not.toContain("workflow_run");
  });

  test("may read by default, and each job says what it needs", () => {
    expect(permissions).toEqual({ contents: "read" });
    for (const job of Object.values(jobs)) {
      expect(job.permissions).toMatchObject({ contents: "read" });
      expect(job["timeout-minutes"]).toBeLessThanOrEqual(30);
    }
  });

  test("a job that runs the project's code may write nothing but results of code scanning", () => {
    for (const job of Object.values(jobs)) {
      const writes = Object.entries(job.permissions ?? {}).filter(([, right]) => right === "write");
      const runsCode = job.steps.some(({ run }) => /\b(?:npm|node)\b/.test(run ?? ""));
      if (runsCode) expect(writes.filter(([name]) => name !== "security-events")).toEqual([]);
    }
  });

  test("pins every action by its commit, with the version beside it", () => {
    const used = textOf(file)
      .split("\n")
      .filter((line) => /\buses:/.test(line));
    expect(used.length).toBeGreaterThan(0);
    for (const line of used) expect(line).toMatch(/uses: [\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("puts no text from outside into a shell", () => {
    for (const job of Object.values(jobs))
      for (const { run } of job.steps) expect(run ?? "").not.toMatch(/\$\{\{/);
  });

  test("keeps no credential of the checkout, and runs scripts that there are", () => {
    for (const { uses, run, with: inputs } of Object.values(jobs).flatMap(steps)) {
      if (uses?.startsWith("actions/checkout@"))
        expect(inputs).toMatchObject({ "persist-credentials": false });
      const script = /npm run ([\w:]+)/.exec(run ?? "")?.[1];
      if (script !== undefined) expect(scripts).toHaveProperty([script]);
    }
  });
});

describe("the review of a pull request", () => {
  const { on, jobs } = workflow("review.yml");

  test("is given no secret, also where it comes from a fork", () => {
    expect(textOf("review.yml")).not.toMatch(/\bsecrets\b/);
    expect(Object.keys(on)).toEqual(["pull_request"]);
    expect(jobs["preview"]?.permissions).toEqual({ contents: "read" });
    expect(jobs["preview"]?.if).toBeUndefined();
  });

  test("keeps its report when the preview fails", () => {
    const [upload] = steps(jobs["preview"]).slice(-1);
    expect(upload).toMatchObject({
      if: "always()",
      uses: expect.stringContaining("actions/upload-artifact@"),
    });
  });

  test("writes to the pull request from a job that runs nothing of it, and only for branches of the repository", () => {
    const publish = jobs["publish"];
    expect(publish?.if).toContain("head.repo.full_name == github.repository");
    expect(steps(publish).some(({ uses = "" }) => uses.startsWith("actions/checkout@"))).toBe(false);
    expect(steps(publish).some(({ run = "" }) => /npm|node /.test(run))).toBe(false);
    expect(steps(publish).some(({ uses = "" }) => uses.includes("upload-sarif@"))).toBe(true);
  });
});

describe("the review of prod", () => {
  const { jobs } = workflow("review-prod.yml");

  test("is for branches of the repository, and holds the passphrase alone, in the one step that needs it", () => {
    expect(jobs["preview"]?.if).toContain("head.repo.full_name == github.repository");
    const secrets = [...textOf("review-prod.yml").matchAll(/secrets\.(\w+)/g)].map(([, name]) => name);
    expect(secrets).toEqual(["PULUMI_CONFIG_PASSPHRASE"]);
    expect(jobs["preview"]?.env).toBeUndefined();
  });
});

describe("the audit", () => {
  test("runs by the clock and by hand, never for a pull request", () => {
    expect(Object.keys(workflow("audit.yml").on)).toEqual(["schedule", "workflow_dispatch"]);
  });
});
