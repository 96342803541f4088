import { describe, expect, test } from "vitest";

import { parseMessage } from "../../../../cli/review/parse-finding.ts";
import { allPolicies } from "../../../../policies/rules/index.ts";
import {
  describeExcepted,
  describeFinding,
  describeNotJudged,
  type Finding,
} from "../../../../policies/framework/policy.ts";

const FINDING: Finding = {
  where: "envs (DB_HOST)",
  what: "holds 100.101.102.103, the address of one tailnet node",
  instead: "the node's MagicDNS name",
};
const EXCEPTION = {
  at: "exceptions[0]",
  policy: "p",
  urn: "urn:pulumi:*",
  reason: "until the move: see wiki",
  expires: "2027-01-31",
};

describe("a finding's text is taken apart into what it was put together from", () => {
  test.each(allPolicies.map((policy) => [policy.id, policy] as const))("of the policy %s", (_, policy) => {
    const { why, lesson, url } = policy;
    expect(parseMessage(`${describeFinding(policy, FINDING)}\n`)).toEqual({
      kind: "finding",
      finding: { ...FINDING, why, url, ...(lesson !== undefined && { lesson }) },
    });
  });

  test.each([
    ["healthcheck.tests", "can succeed while the data store is not reachable"],
    ["envs (SMARTHOST)", "relays to dual.example.test, which has an AAAA record"],
    [
      "uploads[0].content (/etc/caddy/caddy.json) apps.http.servers.web.listen[0]",
      "is where layer4 listens, too",
    ],
    ['settings["queue.route.smarthost.address"]', "holds 100.101.102.103"],
    ["image", "is not pinned by digest: a tag may lead elsewhere tomorrow"],
    ["acl", "resets. Twice"],
  ])("the path %s stands apart from what is wrong", (where, what) => {
    const policy = { why: "it breaks", url: "https://example.org/why" };
    const parsed = parseMessage(describeFinding(policy, { where, what, instead: "something else" }));
    expect(parsed).toMatchObject({ kind: "finding", finding: { where, what } });
  });

  test("a why with brackets and a number of its own keeps them", () => {
    const policy = { why: "it breaks (lesson 16)", lesson: 13, url: "https://example.org/#a" };
    expect(parseMessage(describeFinding(policy, FINDING))).toMatchObject({
      finding: { why: "it breaks (lesson 16)", lesson: 13, url: "https://example.org/#a" },
    });
  });

  test("one without a source, as that of an expired exception, keeps its why", () => {
    const text =
      "policy-exceptions.jsonc exceptions[0]: p on u expired on 2026-01-01.\n  why: nobody keeps it\n  instead: mend it";
    expect(parseMessage(text, "policy-exceptions")).toMatchObject({
      kind: "finding",
      finding: { why: "nobody keeps it", instead: "mend it" },
    });
  });

  test("what another pack says stays whole", () => {
    expect(parseMessage("Buckets must be private.\nSee the wiki.", "s3")).toEqual({
      kind: "finding",
      finding: { where: "", what: "Buckets must be private.\nSee the wiki" },
    });
  });
});

describe("what was not judged", () => {
  test("is a list of paths and reasons", () => {
    const gaps = [
      { where: "envs[0]", because: "unknown until the update" },
      { where: 'settings["a.b"] x.ts.net:587', because: "nobody could ask: no resolver" },
    ];
    expect(parseMessage(describeNotJudged(gaps))).toEqual({ kind: "not-judged", gaps });
  });

  test("the SDK's own words for an unknown value are no violation", () => {
    const text = "can't run policy 'p' during preview: string value at .props.image\n  can't be known";
    expect(parseMessage(text)).toEqual({
      kind: "not-judged",
      gaps: [
        {
          where: "",
          because: "can't run policy 'p' during preview: string value at .props.image can't be known",
        },
      ],
    });
  });
});

describe("exceptions", () => {
  test("an excepted finding has its reason, its end and the finding", () => {
    const policy = { why: "it breaks", lesson: 6, url: "https://example.org" };
    const text = describeExcepted(EXCEPTION, describeFinding(policy, FINDING));
    expect(parseMessage(text, "no-hardcoded-tailnet-ip")).toEqual({
      kind: "excepted",
      until: "2027-01-31",
      reason: "until the move: see wiki",
      finding: { ...FINDING, ...policy },
    });
  });

  test("one without an end is one, too", () => {
    expect(parseMessage("Excepted: an old host")).toMatchObject({ kind: "excepted", reason: "an old host" });
  });

  test("those in force are told, and are nothing to mend", () => {
    const text =
      "1 exception is in force (policy-exceptions.jsonc):\n  exceptions[0]: p on u until 2027-01-31: r";
    expect(parseMessage(text, "policy-exceptions")).toEqual({ kind: "note", text });
  });
});
