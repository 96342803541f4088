// Scripts of workflows as bash runs them, with stand-ins for `gh` and `curl` that write down what
// they are asked: there is no GitHub here, and no control server.
import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";

const FOLDER = join(import.meta.dirname, "../../../../.github/workflows");

interface Step {
  name?: string;
  run?: string;
  env?: Record<string, string>;
}

/** A step of a workflow's job by its name. */
function stepOf(file: string, job: string, name: string): Required<Step> {
  const { jobs } = parse(readFileSync(join(FOLDER, file), "utf8")) as {
    jobs: Record<string, { steps: Step[] }>;
  };
  const step = jobs[job]?.steps.find((each) => each.name === name);
  return step as Required<Step>;
}

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tailwart-workflow-"));
  mkdirSync(join(cwd, "bin"));
  mkdirSync(join(cwd, "review"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** Puts a program on the script's PATH. */
function standIn(name: string, script: string): void {
  writeFileSync(join(cwd, "bin", name), `#!/bin/bash\nprintf '%s\\n' "${name} $*" >> asked\n${script}\n`);
  chmodSync(join(cwd, "bin", name), 0o755);
}
const read = (file: string): string => {
  try {
    return readFileSync(join(cwd, file), "utf8");
  } catch {
    return "";
  }
};

/** Runs a step as a GitHub runner does: `bash -e`, with pipefail where `shell: bash` says so. */
function run({ run: script }: Required<Step>, env: Record<string, string>, shell = ["-e"]) {
  const all = {
    ...env,
    PATH: [join(cwd, "bin"), process.env["PATH"]].join(delimiter),
    GITHUB_REPOSITORY: "o/r",
  };
  return new Promise<{ code: number; said: string; asked: string }>((done) =>
    execFile("bash", [...shell, "-c", script], { cwd, env: all }, (error, stdout, stderr) =>
      done({
        code: error === null ? 0 : typeof error.code === "number" ? error.code : -1,
        said: stdout + stderr,
        asked: read("asked"),
      }),
    ),
  );
}

describe("the comment on a fork's pull request", () => {
  const step = stepOf("review-fork.yml", "comment", "Comment");
  const { MARKER = "", NOTE = "" } = step.env;
  const outside = { OWNER: "stranger", BRANCH: "a b;$(touch hacked)", COMMIT: "c0ffee" };
  const gh = (pull: string, own: string) =>
    standIn(
      "gh",
      `case $* in *'/pulls '*) printf %s '${pull}' ;; *'/comments --jq'*) printf %s '${own}' ;; esac`,
    );
  const comment = (env = {}) => run(step, { MARKER, NOTE, ...outside, ...env });

  test("is found by a marker of its own, which the one of branches has not", () => {
    expect(MARKER).toMatch(/^<!-- .*tailwart.*fork.* -->$/);
    const other = stepOf("review.yml", "publish", "Comment").env["MARKER"] ?? "";
    expect(MARKER.startsWith(other.replace(" -->", ""))).toBe(true);
    expect(MARKER.startsWith(other)).toBe(false);
    expect(other.startsWith(MARKER)).toBe(false);
  });

  test("is made where there is none: the marker, who wrote it, and the report as it is", async () => {
    writeFileSync(join(cwd, "review/review.md"), "## ❌ Review\n$(touch hacked) `touch hacked`\n");
    gh("7", "");
    const { code, said, asked } = await comment();
    expect(code, said).toBe(0);
    expect(asked).toMatch(/gh pr comment 7 --repo o\/r --body-file comment\.md/);
    expect(read("comment.md")).toBe(`${MARKER}\n${NOTE}\n\n## ❌ Review\n$(touch hacked) \`touch hacked\`\n`);
    expect(read("hacked")).toBe("");
  });

  test("is rewritten where it is there", async () => {
    writeFileSync(join(cwd, "review/review.md"), "## ✅ Review\n");
    gh("7", "4711");
    const { asked } = await comment();
    expect(asked).toContain("gh api --method PATCH repos/o/r/issues/comments/4711 --field body=@comment.md");
    expect(asked).not.toContain("gh pr comment");
  });

  test("is for the pull request whose newest commit was reviewed, as GitHub says, or for none", async () => {
    writeFileSync(join(cwd, "review/review.md"), "7\n");
    gh("", "");
    const { code, asked } = await comment();
    expect(code).toBe(0);
    expect(asked).toContain("--field head=stranger:a b;$(touch hacked)");
    expect(step.run).toContain(".head.sha == env.COMMIT and .base.repo.full_name == env.GITHUB_REPOSITORY");
    expect(asked).not.toMatch(/PATCH|gh pr comment/);
    expect(read("hacked")).toBe("");
  });

  test("takes no report that leads elsewhere", async () => {
    symlinkSync("/etc/hostname", join(cwd, "review/review.md"));
    gh("7", "");
    const { code, asked } = await comment();
    expect(code).toBe(1);
    expect(asked).not.toMatch(/PATCH|gh pr comment/);
  });

  test("fits, however long the report is, and holds no half of a character", async () => {
    writeFileSync(join(cwd, "review/review.md"), "ü".repeat(60_000));
    gh("7", "");
    expect((await comment()).code).toBe(0);
    expect(Buffer.byteLength(read("comment.md"))).toBeLessThanOrEqual(65_536);
    expect(read("comment.md")).not.toContain("\ufffd");
  });
});

/** A GitHub runner has it; what the script does without it is not asked. */
const hasJq = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "jq")));

describe.runIf(hasJq)("the policy file's tests in a pull request", () => {
  const step = stepOf("review.yml", "acl", "Evaluate the policy file's tests");
  const token = {
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
    ACTIONS_ID_TOKEN_REQUEST_URL: "https://oidc?v=1",
  };
  const env = {
    ...token,
    AUDIENCE: "api.tailscale.com/x",
    CLIENT_ID: "client",
    GITHUB_STEP_SUMMARY: "summary",
    PREVIEW: "success",
  };
  const curl = (answer: string, code = 200) =>
    standIn(
      "curl",
      `case $* in
  *acl/validate*) cat > header; printf %s '${answer}' > answer; printf ${code} ;;
  *token-exchange*) cat > jwt; echo '{"access_token":"tskey-api-short"}' ;;
  *) cat > /dev/null; echo '{"value":"the-jwt"}' ;;
esac`,
    );
  const evaluate = (more = {}) =>
    run(step, { ...env, ...more }, ["--noprofile", "--norc", "-eo", "pipefail"]);

  test("hold where the control server has nothing to say of each stack's file", async () => {
    for (const stack of ["prod", "review"]) writeFileSync(join(cwd, `review/policy-${stack}.hujson`), "{}");
    curl("{}");
    const { code, said, asked } = await evaluate();
    expect(code, said).toBe(0);
    expect(asked.match(/acl\/validate/g)).toHaveLength(2);
    expect(read("summary")).toMatch(/### policy-prod\.hujson\n\n```text\nall tests hold/);
    expect(read("header")).toBe("Authorization: Bearer tskey-api-short\n");
    expect(read("jwt")).toBe("the-jwt");
    // No token is in a command's arguments, which every process of the machine can read.
    expect(asked).not.toMatch(/tskey|the-jwt|request-token/);
  });

  test("hold where it answers with an empty body", async () => {
    writeFileSync(join(cwd, "review/policy-prod.hujson"), "{}");
    curl("");
    expect((await evaluate()).code).toBe(0);
  });

  test("fail with the control server's words", async () => {
    writeFileSync(join(cwd, "review/policy-prod.hujson"), "{}");
    curl(
      '{"message":"test(s) failed","data":[{"user":"tag:edge","errors":["address \\"tag:db:22\\": want: Drop"]}]}',
    );
    const { code, said } = await evaluate();
    expect(code).toBe(1);
    expect(said).toContain('tag:edge: address "tag:db:22": want: Drop');
  });

  test("fail where it answers no JSON", async () => {
    writeFileSync(join(cwd, "review/policy-prod.hujson"), "{}");
    curl("502 Bad Gateway");
    expect((await evaluate()).code).toBe(1);
  });

  test.each([
    ["{}", 500],
    ["", 403],
    ['{"message":""}', 429],
    ["{}", "000; exit 7"],
  ])("fail where it answers %j with HTTP %s, which is no judgement", async (answer, status) => {
    writeFileSync(join(cwd, "review/policy-prod.hujson"), "{}");
    curl(answer, status as number);
    expect((await evaluate()).code).toBe(1);
    expect(read("summary")).toContain("not judged: HTTP");
  });

  test.each(["[]", '{"data":[{"user":"a","errors":["b"]}]}', "null", "2"])(
    "fail where it answers %j, though with HTTP 200",
    async (answer) => {
      writeFileSync(join(cwd, "review/policy-prod.hujson"), "{}");
      curl(answer);
      expect((await evaluate()).code).toBe(1);
    },
  );

  test("fail where a preview that succeeded has left no policy file", async () => {
    curl("{}");
    expect((await evaluate()).code).toBe(1);
  });

  test("say that nothing is to be judged where the preview, which is red, has left no policy file", async () => {
    curl("{}");
    expect((await evaluate({ PREVIEW: "failure" })).code).toBe(0);
    expect(read("summary")).toContain("Nothing to judge");
  });

  test("are told without a command to the runner, and without an end of the summary's fence", async () => {
    writeFileSync(join(cwd, "review/policy-prod.hujson"), "{}");
    curl('{"message":"x\\n::add-mask::a\\n````\\n# Approved"}');
    const { code, said } = await evaluate();
    expect(code).toBe(1);
    const [, stop = "?"] = /^::stop-commands::(\w{32})$/m.exec(said) ?? [];
    const quoted = said.slice(said.indexOf(`::stop-commands::${stop}`), said.indexOf(`\n::${stop}::`));
    expect(quoted).toContain("\n::add-mask::a\n");
    expect(read("summary")).toContain("`````text\nx\n::add-mask::a\n````\n# Approved\n`````\n");
  });
});
