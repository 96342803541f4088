import { describe, expect, test } from "vitest";

import { COMMENT_LIMIT, headline, toMarkdown } from "../../../../cli/review/markdown.ts";
import type { Report } from "../../../../cli/review/model.ts";
import { EMPTY, recorded } from "./fixtures.ts";

const violation = {
  policy: "p",
  urn: "urn:pulumi:prod::shop::docker:index/container:Container::app",
  level: "mandatory",
  severity: "high",
  where: "envs (A)",
  what: "is wrong",
  why: "it breaks",
  instead: "another",
};
const shown = (more: Partial<Report>) => toMarkdown([{ ...EMPTY, ...more }]);

describe("the summary", () => {
  test("of a refused preview names policy, resource, path, why, source and fix", () => {
    const text = toMarkdown([recorded("violations")]);
    expect(text).toMatch(/^## ❌ Review of the stack `prod`\n\n\*\*1 violation to mend · /);
    expect(text).toContain("#### `no-hardcoded-tailnet-ip` (mandatory, high)");
    expect(text).toContain("Why: a node's tailnet address changes when it registers again");
    expect(text).toContain("(lesson 6, <https://tailscale.com/kb/1081/magicdns>).");
    expect(text).toContain(
      "- **app** (`docker:index/container:Container`): `envs (URL)` holds 100.101.102.103",
    );
    expect(text).toMatch(/ {2}- fix: the node's MagicDNS name/);
  });

  test("lists exceptions with policy, resource, end and reason, and those that stand idle", () => {
    const text = toMarkdown([recorded("violations")]);
    expect(text).toMatch(
      /\| `no-hardcoded-tailnet-ip` \| \*\*web\*\* .*`envs \(DB_HOST\)` .* \| 2027-01-31 \| moved to MagicDNS with the next release \|/,
    );
    expect(text).toContain("Exceptions that matched no finding in this run");
  });

  test("lists what was not judged under policy and resource", () => {
    expect(toMarkdown([recorded("violations")])).toContain(
      "- `relay-target-ipv4-only` at **app** (`docker:index/container:Container`)\n  - `envs[0]`: unknown until the update",
    );
  });

  test("says what is replaced, how long mail is down for it, and where that was measured", () => {
    const text = toMarkdown([recorded("replaced")]);
    expect(text).toMatch(/mail down about \d+ s/);
    const measured = String.raw`measured \d+ s \(\`docs/reliability\.md\`\)`;
    expect(text).toMatch(
      new RegExp(`\\| \`mail-stalwart-server\` \\| replace \\| ${measured} \\| deliveries under way`),
    );
    expect(text).toMatch(
      new RegExp(`\\| \`edge-caddy\` \\| replace \\| ${measured} \\| .*until the new Caddy listens \\|`),
    );
    expect(text).toMatch(/\| `edge-reload` \| replace \| not \(`test\/engine\/caddy-reload\.test\.ts`\) \|/);
    expect(text).toContain("Also replaced, without effect on mail: `mail-name`");
  });

  test("shows each changed property old and new, and a secret as such", () => {
    const text = toMarkdown([recorded("replaced")]);
    expect(text).toMatch(
      / {2}- `image` \(replaces\): `registry\.example\.org\/caddy-l4:2\.11\.9@.*` → `registry/,
    );
    expect(text).toContain("  - `uploads` (replaces): `[secret]`, and it differs");
  });

  test("of a refused config holds the program's own words", () => {
    const text = toMarkdown([recorded("refused")]);
    expect(text).toMatch(
      /### What went wrong\n\n\*\*error\*\*\n\n```text\n.*\n +tailwart:mailHost accepts a DNS name/,
    );
  });

  test("of a first deployment folds what is created, and says nothing of downtime", () => {
    const text = toMarkdown([recorded("first")]);
    expect(text).toMatch(/^## ✅/);
    expect(text).toMatch(/<details><summary>\d\d to create<\/summary>/);
    expect(text).not.toContain("mail is down");
  });

  test("of nothing at all says so", () => {
    expect(shown({})).toContain("**no change**");
    expect(shown({ kind: "audit" })).toContain("**clean**");
    expect(shown({ packs: {} })).toContain("No policy pack has judged this.");
  });

  test("of drift shows what a hand has changed, and how it is put back", () => {
    const text = shown({
      kind: "audit",
      drift: [
        {
          op: "update",
          urn: violation.urn,
          type: "t",
          properties: [{ path: "a", old: "1", new: "2", replaces: false }],
        },
      ],
    });
    expect(text).toMatch(/^## ❌ Audit/);
    expect(text).toContain("`pulumi up --refresh` puts it back");
    expect(text).toContain("  - `a`: `1` → `2`");
  });

  test("lets an advisory finding pass in a review, and not in an audit", () => {
    const violations = [{ ...violation, level: "advisory" }];
    expect(shown({ violations })).toMatch(/^## ✅/);
    expect(shown({ kind: "audit", violations })).toMatch(/^## ❌/);
  });

  test("shows values of many lines as a diff", () => {
    const properties = [{ path: "stdin", lines: "@@ -1,2 +1,1 @@\n-a\n-b\n+c", replaces: false }];
    const text = shown({ changes: [{ op: "update", urn: violation.urn, type: "t", properties }] });
    expect(text).toContain("    ```diff\n    @@ -1,2 +1,1 @@\n    -a\n    -b\n    +c\n    ```");
  });
});

describe("words from outside", () => {
  test("make no HTML, link, image, mention, heading or table cell of their own", () => {
    const what = "<img src=x> ![x](https://e) @admin | a\n# heading";
    const text = shown({ violations: [{ ...violation, what, where: "" }] });
    expect(text).not.toMatch(/<img|!\[x\]\(|@admin|^# heading/m);
  });

  test("cannot end a code span or a block", () => {
    const text = shown({
      violations: [{ ...violation, where: "a`b``c" }],
      problems: [{ severity: "error", message: "```\n# free" }],
    });
    expect(text).toContain("```a`b``c```");
    expect(text).toContain("````text\n```\n# free\n````");
  });

  test("in code spans of a message stay code", () => {
    expect(shown({ violations: [{ ...violation, what: "fails with `a_b <c>`" }] })).toContain(
      "fails with `a_b <c>`",
    );
  });

  test("in a table's cell cannot begin another", () => {
    const text = shown({ exceptions: [{ violation: { ...violation, where: "a|b" }, reason: "x | y" }] });
    expect(text).toContain("`a\\|b`");
    expect(text).toContain("x \\| y");
  });
});

describe("a summary that is too long for a comment", () => {
  const properties = [{ path: "a", old: "1".repeat(200), new: "2".repeat(200), replaces: false }];
  const changes = Array.from({ length: 300 }, (_, n) => ({
    op: "update",
    urn: `urn:pulumi:s::p::t::r${n}`,
    type: "t",
    properties,
  }));

  test("first leaves out values, and is not cut for it", () => {
    const text = shown({ changes });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(COMMENT_LIMIT);
    expect(text).toContain("**r299**");
    expect(text).not.toContain("1111");
    expect(text).not.toContain("was cut");
  });

  test("then the properties", () => {
    const text = toMarkdown([{ ...EMPTY, changes, violations: [violation] }], 4000);
    expect(text).toContain("envs (A)");
    expect(text).not.toContain("was cut");
    expect(text).not.toContain("**r299**");
  });

  test("and only then is cut between lines, with a note, violations first", () => {
    const violations = Array.from({ length: 2000 }, (_, n) => ({
      ...violation,
      urn: `urn:pulumi:s::p::t::ü${n}`,
    }));
    const text = shown({ violations });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(COMMENT_LIMIT);
    expect(Buffer.byteLength(text)).toBeGreaterThan(COMMENT_LIMIT * 0.9);
    expect(text).toContain("**ü0**");
    expect(text).toMatch(/was cut to fit into a comment/);
  });
});

describe("several stacks", () => {
  const failed = { ...EMPTY, stack: "prod", result: "failed" as const };
  const fine = { ...EMPTY, stack: "ever" };

  test("have a section each in one summary, what failed first", () => {
    const titles = toMarkdown([fine, failed]).match(/^## .*$/gm);
    expect(titles).toEqual(["## ❌ Review of the stack `prod`", "## ✅ Review of the stack `ever`"]);
  });

  test("share what a comment has room for", () => {
    const violations = Array.from({ length: 500 }, (_, n) => ({
      ...violation,
      urn: `urn:pulumi:s::p::t::r${n}`,
    }));
    const text = toMarkdown(
      [
        { ...fine, violations },
        { ...failed, violations },
      ],
      20_000,
    );
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(20_000);
    expect(text.match(/^## .*$/gm)).toHaveLength(2);
    expect(text.match(/was cut to fit into a comment/g)).toHaveLength(2);
  });
});

describe("the headline", () => {
  test("says the worst first", () => {
    expect(headline(recorded("violations"))).toBe(
      "1 violation to mend · 5 to create · 2 not judged · 1 exception used",
    );
    expect(headline({ ...EMPTY, violations: [{ ...violation, level: "advisory" }] })).toBe(
      "1 advisory finding · no change",
    );
  });

  test("says when nobody knows how long mail is down", () => {
    const downtime = [{ name: "x", op: "delete", effect: "", basis: "unknown" as const }];
    expect(headline({ ...EMPTY, downtime })).toContain("mail down, nobody knows how long");
  });
});
