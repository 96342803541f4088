import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";
import { parse } from "yaml";

import { COMMENT_LIMIT } from "../../../../cli/review/markdown.ts";
import { IMAGE_NAMES } from "../../../../lab/images/images.ts";
import { LINES, lineOfImage } from "../../../../lib/stalwart/release.ts";
import { pieces } from "../../../../tools/manifest.mjs";

interface Step {
  name?: string;
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
  environment?: string;
  strategy?: { matrix: Record<string, string[]> };
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
const TAILSCALE = pieces.find(({ name }) => name === "tailscale")?.version;
const steps = (job: Job | undefined) => job?.steps ?? [];
const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

describe.each(FILES)("the workflow %s", (file) => {
  const { on, permissions, jobs } = workflow(file);

  test("never runs a pull request's code with the repository's own rights", () => {
    expect(Object.keys(on)).not.toContain("pull_request_target");
    // It has those rights after the run of anybody, and may read what that has left, no more.
    if (!("workflow_run" in on)) return;
    for (const { uses = "", run = "" } of Object.values(jobs).flatMap(steps)) {
      expect(uses).not.toMatch(/^actions\/(?:checkout|cache|setup-)/);
      expect(run).not.toMatch(/\b(?:npm|npx|node|git|source|eval|bash|sh)\b|chmod|\.\/|GITHUB_(?:ENV|PATH)/);
    }
  });

  test("may read by default, and each job says what it needs", () => {
    expect(permissions).toEqual({ contents: "read" });
    for (const job of Object.values(jobs)) {
      expect(job.permissions).toMatchObject({ contents: "read" });
      // Who waits for it is nobody: it is no check of a pull request.
      const longest = file === "official-images.yml" ? 90 : 30;
      expect(job["timeout-minutes"]).toBeLessThanOrEqual(longest);
    }
  });

  test("a job that runs the project's code may write nothing but results of code scanning", () => {
    for (const job of Object.values(jobs)) {
      const writes = Object.entries(job.permissions ?? {}).filter(([, right]) => right === "write");
      const runsCode = job.steps.some(({ run }) => /\b(?:npm|node)\b/.test(run ?? ""));
      // A job's own identity writes nothing in the repository; a pull request's code gets none.
      const allowed = "pull_request" in on ? ["security-events"] : ["security-events", "id-token"];
      if (runsCode) expect(writes.filter(([name]) => !allowed.includes(name))).toEqual([]);
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

/** The step of a job that has a name. */
const stepOf = (job: Job | undefined, name: string): Step =>
  steps(job).find((step) => step.name === name) ?? expect.fail(`no step is called ${name}`);

describe("the review", () => {
  const { jobs } = workflow("review.yml");

  test("is of every stack file, and of what the merge changes of its first parent", () => {
    const [checkout] = steps(jobs["preview"]);
    expect(checkout?.with).toMatchObject({ "fetch-depth": 2 });
    const runs = steps(jobs["preview"]).flatMap(({ run }) => (run === undefined ? [] : [run]));
    expect(runs).toEqual([expect.stringMatching(/^npm run review -- --base HEAD\^1 --out /)]);
  });

  test("has the policy file's tests evaluated by a federated identity, once a reviewer has let it", () => {
    const { acl } = jobs;
    expect(acl?.if).toContain("vars.TAILSCALE_ACL_CLIENT_ID != ''");
    expect(acl?.if).toContain("head.repo.full_name == github.repository");
    expect(acl?.permissions).toEqual({ contents: "read", "id-token": "write" });
    expect(acl?.environment).toBe("review-acl");
    // The workflow is the pull request's own, whoever has written it.
    expect(readFileSync(join(PROJECT, "docs/review.md"), "utf8")).toMatch(
      /an environment `review-acl` with required reviewers/,
    );
    expect(steps(acl).some(({ uses = "" }) => uses.startsWith("actions/checkout@"))).toBe(false);
  });
});

describe("the toolchain", () => {
  const KEY = "toolchain-${{ runner.os }}-${{ hashFiles('tools/**') }}";

  test.each(["review.yml", "review-prod.yml", "audit.yml", "toolchain.yml"])(
    "is kept between runs of %s",
    (file) => {
      const used = Object.values(workflow(file).jobs).flatMap(steps);
      const kept = used.filter(({ uses = "" }) => uses.startsWith("actions/cache@"));
      expect(kept.length).toBeGreaterThan(0);
      for (const step of kept) expect(step.with).toEqual({ path: "~/.cache/tailwart", key: KEY });
    },
  );

  test("is made on the default branch, whose cache alone the others read", () => {
    expect(workflow("toolchain.yml").jobs["make"]?.if).toContain("github.event.repository.default_branch");
  });
});

describe("the comment on a pull request", () => {
  const { run = "", env } = stepOf(workflow("review.yml").jobs["publish"], "Comment");
  const marker = env?.["MARKER"] ?? "";

  test("is told from those of other workflows, which have the same author, by a marker that nobody sees", () => {
    expect(marker).toMatch(/^<!-- .*tailwart.* -->$/);
    expect(run).toContain(`printf '%s\\n' "$MARKER"; cat review/review.md; } > comment.md`);
    expect(run).toContain('.user.login == "github-actions[bot]" and (.body | startswith(env.MARKER))');
    expect(run).not.toContain("--edit-last");
  });

  test("is rewritten by its id, and made where there is none", () => {
    expect(run).toContain('--method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$own"');
    expect(run).toMatch(/else\n +gh pr comment "\$NUMBER" .*--body-file comment\.md/);
  });

  test("is short enough with the marker before it", () => {
    expect(COMMENT_LIMIT + marker.length + 1).toBeLessThanOrEqual(65_536);
  });
});

describe("the review of prod", () => {
  const { jobs } = workflow("review-prod.yml");

  test("takes the state from a successful audit of the default branch, never from a pull request's run", () => {
    const { run = "", env } = stepOf(jobs["preview"], "Fetch the newest copy of the state");
    expect(env?.["BRANCH"]).toBe("${{ github.event.repository.default_branch }}");
    expect(run).toMatch(/actions\/workflows\/audit\.yml\/runs\?branch=\$BRANCH&status=success/);
    expect(run).toContain('select(.event == "schedule" or .event == "workflow_dispatch")');
    expect(run).toContain("select(.head_repository.id == .repository.id)");
    expect(run).toMatch(/gh run download "\$run" .*--name state/);
    expect(run).toMatch(/\[ -n "\$run" \] \|\| \{ echo "::error::.*exit 1; \}/);
  });

  test("gives the passphrase to a pull request's code only after somebody has let it", () => {
    expect(jobs["preview"]?.environment).toBe("review-prod");
    expect(readFileSync(join(PROJECT, "docs/review.md"), "utf8")).toMatch(
      /an environment `review-prod` with required reviewers and the secret `PULUMI_CONFIG_PASSPHRASE`/,
    );
  });

  test("is for branches of the repository, and holds the passphrase alone, in the one step that needs it", () => {
    expect(jobs["preview"]?.if).toContain("head.repo.full_name == github.repository");
    const secrets = [...textOf("review-prod.yml").matchAll(/secrets\.(\w+)/g)].map(([, name]) => name);
    expect(secrets).toEqual(["PULUMI_CONFIG_PASSPHRASE"]);
    expect(jobs["preview"]?.env).toBeUndefined();
  });
});

describe("the deploy", () => {
  const { on, jobs } = workflow("deploy.yml");
  const { plan, deploy } = jobs;
  const commands = (job: Job | undefined) => steps(job).map(({ run = "" }) => run);

  test("is of the default branch, once somebody has switched it on, and never of a pull request", () => {
    expect(Object.keys(on)).toEqual(["push", "workflow_dispatch"]);
    expect(plan?.if).toContain("vars.TAILWART_DEPLOY == '1'");
    expect(plan?.if).toContain("github.ref_name == github.event.repository.default_branch");
    expect(deploy).toMatchObject({ needs: "plan" });
    expect(deploy?.if).toBeUndefined();
  });

  test("waits for the reviewers of an environment of its own, which the plan does not need", () => {
    expect(plan?.environment).toBe("production");
    expect(deploy?.environment).toBe("deploy");
    expect(readFileSync(join(PROJECT, "docs/review.md"), "utf8")).toMatch(
      /an environment `deploy` with required reviewers/,
    );
  });

  test("does what was planned and shown, by the plan of its own run and no other", () => {
    const saved = /--save-plan "(?<file>[^"]+)"/.exec(commands(plan).join("\n"))?.groups?.["file"];
    expect(saved).toBe("$RUNNER_TEMP/plan/plan.json");
    expect(commands(deploy).at(-1)).toContain(
      `pulumi up --yes --non-interactive --stack prod --plan "${saved}"`,
    );
    expect(commands(deploy).at(-1)).toContain("--policy-pack ./policies/tailwart-policies");
    const fetched = steps(deploy).find(({ uses = "" }) => uses.startsWith("actions/download-artifact@"));
    expect(fetched?.with).toEqual({ name: "plan", path: "${{ runner.temp }}/plan" });
  });

  test("plans without a key of the hosts and a token of the tailnet", () => {
    const text = JSON.stringify(plan);
    expect(text).not.toMatch(/secrets\.(?:SSH|TAILSCALE)/);
    expect(text).not.toContain("TAILSCALE_OIDC");
  });

  test("logs in by its own identity wherever it may, late enough to last", () => {
    for (const job of [plan, deploy]) {
      expect(job?.permissions).toEqual({ contents: "read", "id-token": "write" });
      expect(commands(job)).toContain("node tools/entry.mjs cli/federate.ts");
    }
    const named = Object.keys(deploy?.env ?? {});
    for (const name of [
      "PULUMI_OIDC_ORGANIZATION",
      "AWS_ROLE_ARN",
      "GOOGLE_WORKLOAD_PROVIDER",
      "TAILSCALE_OIDC_CLIENT_ID",
    ])
      expect(named).toContain(name);
    expect(commands(deploy).at(-2)).toBe("node tools/entry.mjs cli/federate.ts");
  });

  test("is never cut off by the next one", () => {
    expect(textOf("deploy.yml")).toMatch(/^concurrency:\n {2}group: deploy-/m);
    expect(textOf("deploy.yml")).not.toContain("cancel-in-progress");
  });
});

describe("the audit", () => {
  test("can log in to every backend that Pulumi keeps state in, by what docs/review.md lists", () => {
    const given = Object.entries(workflow("audit.yml").jobs["audit"]?.env ?? {});
    const page = readFileSync(join(PROJECT, "docs/review.md"), "utf8");
    for (const [name, kind] of [
      ["PULUMI_ACCESS_TOKEN", "secrets"],
      ["AWS_ACCESS_KEY_ID", "secrets"],
      ["AWS_SECRET_ACCESS_KEY", "secrets"],
      ["AWS_REGION", "vars"],
      ["GOOGLE_CREDENTIALS", "secrets"],
      ["AZURE_STORAGE_KEY", "secrets"],
      ["AZURE_STORAGE_ACCOUNT", "vars"],
    ] as const) {
      expect(given).toContainEqual([name, `\${{ ${kind}.${name} }}`]);
      expect(page).toMatch(new RegExp(`^\\| (?:empty|\`).*\`${name}\``, "m"));
    }
  });

  test("runs by the clock and by hand, never for a pull request", () => {
    expect(Object.keys(workflow("audit.yml").on)).toEqual(["schedule", "workflow_dispatch"]);
  });
});

describe("the lab on official images", () => {
  const { on, jobs } = workflow("official-images.yml");
  const { lab } = jobs;

  test("runs by the clock and by hand, with no secret, and says that it has not run here", () => {
    expect(Object.keys(on)).toEqual(["schedule", "workflow_dispatch"]);
    expect(textOf("official-images.yml")).not.toMatch(/\bsecrets\b/);
    expect(textOf("official-images.yml")).toMatch(/^# It has not run yet/m);
  });

  test("tries one version of each line that the lab knows", () => {
    const tags = lab?.strategy?.matrix["stalwart"] ?? [];
    expect(tags.map((tag) => lineOfImage(`stalwartlabs/stalwart:${tag}`))).toEqual([...LINES]);
  });

  test("gives all images as `npm run up` takes them, to the lab's tests alone", () => {
    const command = steps(lab).at(-1)?.run ?? "";
    expect(command).toContain("npm test -- --project lab");
    expect(scripts).toHaveProperty("test");
    const given = [...command.matchAll(/--image "?(\w+)=(\S+)/g)];
    expect(given.map(([, name]) => name).sort()).toEqual([...IMAGE_NAMES].sort());
    expect(lab?.env?.["SIDECAR"]).toBe(`tailscale/tailscale:v${TAILSCALE}`);
  });
});
