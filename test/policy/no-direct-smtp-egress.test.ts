import { describe, expect, test } from "vitest";
import {
  noDirectSmtpEgress as policy,
  parseEgressSettings,
} from "../../policies/rules/no-direct-smtp-egress.ts";
import { PASSED, runPolicy, secret, UNKNOWN, UNKNOWN_LIST, UNKNOWN_OBJECT } from "./harness.ts";
import { args as component, keys as settings } from "./resources.ts";

const LOCAL = "is_local_domain('*', rcpt_domain)";
const RELAY = {
  "queue.route.smarthost.type": "relay",
  "queue.route.smarthost.address": "mailbox.tail1.ts.net",
};
/** Rules as pairs of condition and result, and what holds otherwise. */
const rules = (pairs: [unknown, unknown][], otherwise: unknown): Record<string, unknown> =>
  Object.fromEntries([
    ...pairs.flatMap(([condition, then], i) => [
      [`queue.strategy.route.${i}.if`, condition],
      [`queue.strategy.route.${i}.then`, then],
    ]),
    [`queue.strategy.route.${pairs.length}.else`, otherwise],
  ]) as Record<string, unknown>;
const at = (place: string): string => `settings["queue.strategy.route.${place}"]`;
const REACH = "lets recipients that are not local reach a route of type mx";
const MISSING =
  "lets recipients that are not local reach a route that is not declared, in whose place Stalwart takes the MX";

test("no-direct-smtp-egress says where, what, why and what to write instead", async () => {
  const { violations } = await runPolicy(policy, settings(rules([[LOCAL, "'local'"]], "'mx'")));
  expect(violations).toEqual([expect.stringContaining(`${at("1.else")} ${REACH}.`)]);
  expect(violations[0]).toMatch(/why: .*drops outbound SMTP.*Connection timed out.* \(lesson 10, https:/);
  expect(violations[0]).toMatch(
    /instead: a relay's route .*no-direct-smtp-egress\.egress: open in the policy config/,
  );
});

describe("no-direct-smtp-egress refuses a strategy that", () => {
  test.each([
    ["is one bare value", { "queue.strategy.route": "'mx'" }, `settings["queue.strategy.route"] ${REACH}`],
    [
      "ends at a declared route of type mx",
      { "queue.route.direct.type": "mx", ...rules([[LOCAL, "'local'"]], "'direct'") },
      `${at("1.else")} ${REACH}`,
    ],
    [
      "ends at local, which is declared as mx",
      { "queue.route.local.type": "mx", ...rules([[LOCAL, "'local'"]], "'local'") },
      `${at("1.else")} ${REACH}`,
    ],
    [
      "ends at a route that is not declared",
      rules([[LOCAL, "'local'"]], "'smarthost'"),
      `${at("1.else")} ${MISSING}`,
    ],
    ...["false", "true", "0", "1", "2.5", "if_then(size > 9, 'smarthost', false)"].map(
      (value): [string, Record<string, unknown>, string] => [
        `gives no name but ${value}`,
        { ...RELAY, ...rules([[LOCAL, "'local'"]], value) },
        `${at("1.else")} ${MISSING}`,
      ],
    ),
    [
      "relays what is local, and nothing else",
      { ...RELAY, ...rules([[LOCAL, "'smarthost'"]], "false") },
      `${at("1.else")} ${MISSING}`,
    ],
    [
      "has a condition that is not looked into",
      { ...RELAY, ...rules([["retry_num > 3", "'mx'"]], "'smarthost'") },
      `${at("0.then")} ${REACH}`,
    ],
    [
      "takes the sender's domain for the recipient's",
      { ...RELAY, ...rules([["is_local_domain('*', sender_domain)", "'mx'"]], "'smarthost'") },
      `${at("0.then")} ${REACH}`,
    ],
    [
      "sends all to the MX first",
      { ...RELAY, ...rules([["true", "'mx'"]], "'smarthost'") },
      `${at("0.then")} ${REACH}`,
    ],
    [
      "names the MX deep inside an expression",
      {
        ...RELAY,
        ...rules(
          [[LOCAL, "'local'"]],
          "if_then(size > 9, 'smarthost', if_then(priority > 1, 'smarthost', ('mx')))",
        ),
      },
      `${at("1.else")} ${REACH}`,
    ],
    [
      "is not set",
      RELAY,
      'settings["queue.strategy.route"] is not set, and Stalwart\'s own rule sends what is not local to the MX',
    ],
    ["is not set in empty settings", {}, 'settings["queue.strategy.route"] is not set'],
    [
      "Stalwart refuses for its form",
      { ...RELAY, "queue.strategy.route.0.if": LOCAL, "queue.strategy.route.0.then": "'local'" },
      `${at("0.if")} begins an if-block that has no \`else\`, so Stalwart takes its own rule`,
    ],
    [
      "Stalwart refuses for a word in the local branch",
      { ...RELAY, ...rules([[LOCAL, "local"]], "'smarthost'") },
      `${at("0.then")} is a word without quotes, which is no variable, so Stalwart takes its own rule`,
    ],
  ])("%s", async (_, keys, text) => {
    const outcome = await runPolicy(policy, settings(keys));
    expect(outcome).toEqual({ violations: [expect.stringContaining(text)], notJudged: [] });
  });

  test.each([
    ["names mx", { relays: [], outbound: { route: "mx" } }, REACH],
    ["names no route, which is mx", { relays: [{ name: "smarthost" }] }, REACH],
    ["names none of its relays", { relays: [{ name: "smarthost" }], outbound: { route: "other" } }, MISSING],
  ])("is a desired state that %s", async (_, state, text) => {
    const outcome = await runPolicy(policy, component(state));
    expect(outcome).toEqual({
      violations: [expect.stringContaining(`settings.outbound.route ${text}.`)],
      notJudged: [],
    });
  });

  test("stands in the config file's settings, and says so", async () => {
    const { violations } = await runPolicy(policy, settings({}, rules([[LOCAL, "'local'"]], "'mx'")));
    expect(violations).toEqual([
      expect.stringContaining(`fileSettings["queue.strategy.route.1.else"] ${REACH}`),
    ]);
  });

  test("has two ways to the MX: both are listed", async () => {
    const keys = rules(
      [
        [LOCAL, "'local'"],
        ["size > 9", "'mx'"],
      ],
      "'mx'",
    );
    expect((await runPolicy(policy, settings(keys))).violations).toHaveLength(2);
  });
});

describe("no-direct-smtp-egress accepts a strategy that", () => {
  test.each([
    ["relays what is not local", settings({ ...RELAY, ...rules([[LOCAL, "'local'"]], "'smarthost'") })],
    ["relays everything", settings({ ...RELAY, "queue.strategy.route": "'smarthost'" })],
    ["delivers everything here", settings({ "queue.strategy.route": "'local'" })],
    [
      "sends only local recipients to the MX",
      settings({ ...RELAY, ...rules([[LOCAL, "'mx'"]], "'smarthost'") }),
    ],
    [
      "has a rule to the MX that is never taken",
      settings({ ...RELAY, ...rules([["false", "'mx'"]], "'smarthost'") }),
    ],
    [
      "relays all that is not local, and the rest to the MX",
      settings({ ...RELAY, ...rules([[`!${LOCAL}`, "'smarthost'"]], "'mx'") }),
    ],
    [
      "never comes to its else",
      settings({
        ...RELAY,
        ...rules(
          [
            ["1", "'smarthost'"],
            ["size > 9", "'mx'"],
          ],
          "'mx'",
        ),
      }),
    ],
    [
      "names mx, which is declared as a relay",
      settings({
        "queue.route.mx.type": "relay",
        "queue.route.mx.address": "x",
        ...rules([[LOCAL, "'local'"]], "'mx'"),
      }),
    ],
    ["names a relay of the config file", settings(rules([[LOCAL, "'local'"]], "'smarthost'"), RELAY)],
    [
      "is a desired state with a relay",
      component({ relays: [{ name: "smarthost" }], outbound: { route: "smarthost" } }),
    ],
  ])("%s", async (_, resource) => {
    expect(await runPolicy(policy, resource)).toEqual(PASSED);
  });
});

describe("no-direct-smtp-egress does not judge what is unknown at preview", () => {
  test.each([
    [
      "a branch",
      settings({ ...RELAY, ...rules([[LOCAL, "'local'"]], UNKNOWN) }),
      `${at("1.else")}: unknown until the update`,
    ],
    [
      "the strategy",
      settings({ ...RELAY, "queue.strategy.route": UNKNOWN }),
      'settings["queue.strategy.route"]: unknown until the update',
    ],
    ["all of the settings", settings(UNKNOWN_OBJECT), "settings: unknown until the update"],
    ["the config file's settings", settings({}, UNKNOWN_OBJECT), "fileSettings: unknown until the update"],
    [
      "a route's type",
      settings({ ...RELAY, "queue.route.smarthost.type": UNKNOWN, "queue.strategy.route": "'smarthost'" }),
      'settings["queue.strategy.route"]: the type of the route it names is unknown until the update',
    ],
    [
      "the condition of a rule to the MX",
      settings({ ...RELAY, ...rules([[UNKNOWN, "'mx'"]], "'smarthost'") }),
      `${at("0.then")}: its condition is unknown until the update`,
    ],
    [
      "what an expression gives",
      settings({ ...RELAY, ...rules([[LOCAL, "'local'"]], "'relay-' + rcpt_domain") }),
      `${at("1.else")}: only Stalwart can tell what its expression gives; write the name in quotes`,
    ],
    [
      "the desired state's route",
      component({ outbound: { route: UNKNOWN } }),
      "settings.outbound.route: unknown until the update",
    ],
    [
      "the desired state's relays",
      component({ relays: UNKNOWN_LIST, outbound: { route: "smarthost" } }),
      "settings.outbound.route: the type of the route it names is unknown until the update",
    ],
  ])("%s", async (_, resource, line) => {
    expect(await runPolicy(policy, resource)).toEqual({ violations: [], notJudged: [line] });
  });

  test.each([
    ["the condition of a rule to the relay", rules([[UNKNOWN, "'smarthost'"]], "'smarthost'")],
    ["what local recipients get", rules([[LOCAL, UNKNOWN]], "'smarthost'")],
    ["what comes after a rule for everybody", rules([["true", "'smarthost'"]], UNKNOWN)],
    [
      "the relay's address",
      {
        ...rules([], "'smarthost'"),
        "queue.strategy.route": "'smarthost'",
        "queue.route.smarthost.address": UNKNOWN,
      },
    ],
  ])("unless it makes no difference: %s", async (_, keys) => {
    expect(await runPolicy(policy, settings({ ...RELAY, ...keys }))).toEqual(PASSED);
  });

  test("and judges the rest", async () => {
    const keys = rules([[UNKNOWN, UNKNOWN]], "'mx'");
    const outcome = await runPolicy(policy, settings(keys));
    expect(outcome.violations).toEqual([expect.stringContaining(at("1.else"))]);
    expect(outcome.notJudged).toEqual([`${at("0.then")}: unknown until the update`]);
  });
});

test.each([
  ["a strategy", settings(rules([[secret("sender == 'opensesame'"), "'mx'"]], secret("'opensesame'")))],
  [
    "a bare strategy",
    settings({ "queue.strategy.route": secret("if_then(sender == 'opensesame', 'opensesame', 'mx')") }),
  ],
  ["the desired state", component({ outbound: { route: secret("opensesame") } })],
])("no-direct-smtp-egress repeats no secret of %s", async (_, resource) => {
  const { violations } = await runPolicy(policy, resource);
  expect(violations.length).toBeGreaterThan(0);
  expect(violations.join("\n")).toContain("lets recipients that are not local reach");
});

describe("no-direct-smtp-egress is not concerned with", () => {
  test.each([
    ["a container", { type: "docker:index/container:Container", props: {} }],
    [
      "settings of the registry's generation, which have no flat keys",
      { type: "tailwart:mail:Settings", props: { target: {} } },
    ],
    ["a component without a desired state", { type: "tailwart:mail:MailSettings", props: {} }],
  ])("%s", async (_, resource) => {
    const outcome = await runPolicy(policy, resource);
    expect(outcome).toMatchObject(PASSED);
    expect(outcome.notApplicable).toBeTruthy();
  });

  test("a stack whose egress the policy config declares open", async () => {
    const resource = settings({ "queue.strategy.route": "'mx'" });
    const outcome = await runPolicy(policy, resource, { config: { egress: "open" } });
    expect(outcome).toEqual({ ...PASSED, notApplicable: "the policy config declares egress open" });
    expect((await runPolicy(policy, resource, { config: { egress: "blocked" } })).violations).toHaveLength(1);
  });
});

describe("the policy config of no-direct-smtp-egress", () => {
  test("is blocked when nothing is said", () => {
    expect(parseEgressSettings({})).toEqual({ egress: "blocked" });
  });
  test.each([
    [
      { egress: "closed" },
      /no-direct-smtp-egress\.egress accepts "blocked" or "open"; write for example "blocked"/,
    ],
    [{ egress: true }, /no-direct-smtp-egress\.egress accepts/],
    [{ egres: "open" }, /no-direct-smtp-egress\.egres is no key of this policy; write one of egress/],
  ])("%j is refused with the key's path", (raw, message) => {
    expect(() => parseEgressSettings(raw)).toThrow(message);
  });
});
