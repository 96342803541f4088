import { describe, expect, test } from "vitest";
import { relayRouteExists as policy } from "../../policies/rules/relay-route-exists.ts";
import { PASSED, runPolicy, secret, UNKNOWN, UNKNOWN_LIST, UNKNOWN_OBJECT } from "./harness.ts";
import { args as component, keys as settings } from "./resources.ts";

const LOCAL = "is_local_domain('*', rcpt_domain)";
const RELAY = {
  "queue.route.smarthost.type": "relay",
  "queue.route.smarthost.address": "mailbox.tail1.ts.net",
};
const rules = (otherwise: unknown): object => ({
  "queue.strategy.route.0000.if": LOCAL,
  "queue.strategy.route.0000.then": "'local'",
  "queue.strategy.route.0001.else": otherwise,
});
const ELSE = 'settings["queue.strategy.route.0001.else"]';
const UNDECLARED = `${ELSE} names a route that is not declared`;

test("relay-route-exists says where, what, why and what to write instead", async () => {
  const { violations } = await runPolicy(policy, settings({ ...RELAY, ...rules("'smarthos'") }));
  expect(violations).toEqual([expect.stringContaining(`${UNDECLARED}.`)]);
  expect(violations[0]).toMatch(/why: .*Gateway not found.* \(lesson 14, https:/);
  expect(violations[0]).toContain(
    "instead: queue.route.<name>.type, and the name in quotes; declared are 'smarthost', 'local', 'mx'",
  );
});

test("relay-route-exists lists a built-in route once, also where it is declared anew", async () => {
  const keys = { ...RELAY, "queue.route.mx.type": "mx", ...rules("'other'") };
  const { violations } = await runPolicy(policy, settings(keys));
  expect(violations[0]).toContain("declared are 'smarthost', 'local', 'mx'");
});

describe("relay-route-exists refuses a strategy that", () => {
  test.each([
    ["names a route without any declared", rules("'smarthost'"), UNDECLARED],
    ["spells a route in another case", { ...RELAY, ...rules("'Smarthost'") }, UNDECLARED],
    [
      "names a route whose type is none, which Stalwart leaves out",
      { ...RELAY, "queue.route.smarthost.type": "smtp", ...rules("'smarthost'") },
      UNDECLARED,
    ],
    [
      "names a route of which everything but the type is there",
      { "queue.route.smarthost.address": "mailbox", ...rules("'smarthost'") },
      UNDECLARED,
    ],
    [
      "names a relay without an address, which Stalwart leaves out",
      { "queue.route.smarthost.type": "relay", ...rules("'smarthost'") },
      UNDECLARED,
    ],
    [
      "is one bare value",
      { ...RELAY, "queue.strategy.route": "'other'" },
      'settings["queue.strategy.route"] names a route that is not declared',
    ],
    [
      "has its rules below a bare value, which Stalwart takes first",
      { ...RELAY, ...rules("'smarthost'"), "queue.strategy.route": "'other'" },
      'settings["queue.strategy.route"] names a route that is not declared',
    ],
    [
      "names it deep inside an expression",
      { ...RELAY, ...rules("if_then(size > 9, 'smarthost', if_then(source == 'dsn', ('other'), 'mx'))") },
      UNDECLARED,
    ],
    [
      "names it in a rule that is never taken",
      {
        ...RELAY,
        ...rules("'smarthost'"),
        "queue.strategy.route.0000.if": "false",
        "queue.strategy.route.0000.then": "'x'",
      },
      'settings["queue.strategy.route.0000.then"] names a route that is not declared',
    ],
    [
      "names a relay without quotes",
      { ...RELAY, ...rules("smarthost") },
      `${ELSE} is a word without quotes, which is no variable, so it names no route`,
    ],
    ["is empty", { ...RELAY, ...rules("") }, `${ELSE} is empty, so it names no route`],
  ])("%s", async (_, keys, text) => {
    const outcome = await runPolicy(policy, settings(keys));
    expect(outcome).toEqual({ violations: [expect.stringContaining(text)], notJudged: [] });
  });

  const r = (suffix: string): string => `queue.strategy.route.${suffix}`;
  test.each([
    [
      "has no else",
      { [r("0.if")]: LOCAL, [r("0.then")]: "'local'" },
      "0.if",
      "begins an if-block that has no `else`",
    ],
    [
      "has an if without a then at the end",
      { [r("0.if")]: LOCAL, [r("1.else")]: "'mx'" },
      "0.if",
      "has no `then`",
    ],
    [
      "has an if without a then between",
      { [r("0.if")]: LOCAL, [r("1.if")]: LOCAL, [r("1.then")]: "'mx'", [r("2.else")]: "'mx'" },
      "0.if",
      "has no `then`",
    ],
    [
      "has a then without an if",
      { [r("0.if")]: LOCAL, [r("0.then")]: "'local'", [r("1.then")]: "'mx'", [r("2.else")]: "'mx'" },
      "1.then",
      "has no `if`",
    ],
    [
      "begins with the else",
      { [r("0.else")]: "'mx'", [r("1.if")]: LOCAL, [r("1.then")]: "'mx'" },
      "0.else",
      "comes before any `if`",
    ],
    [
      "has a rule after the else",
      {
        [r("0.if")]: LOCAL,
        [r("0.then")]: "'mx'",
        [r("1.else")]: "'mx'",
        [r("2.if")]: LOCAL,
        [r("2.then")]: "'mx'",
      },
      "2.then",
      "comes after the `else`",
    ],
    [
      "has two of else",
      { [r("0.if")]: LOCAL, [r("0.then")]: "'mx'", [r("1.else")]: "'mx'", [r("2.else")]: "'mx'" },
      "2.else",
      "is a second `else`",
    ],
    [
      "holds another key",
      { [r("0.if")]: LOCAL, [r("default")]: "'mx'" },
      "default",
      "is no part of an if-block",
    ],
  ])("%s, which Stalwart refuses as a whole", async (_, keys, place, because) => {
    const outcome = await runPolicy(policy, settings({ ...RELAY, ...keys }));
    expect(outcome.violations).toEqual([expect.stringContaining(`settings["${r(place)}"] ${because}`)]);
    expect(outcome.violations[0]).toContain("so Stalwart refuses the whole strategy.");
  });

  test("stands in the config file's settings, and says so", async () => {
    const resource = settings({ ...RELAY }, rules("'other'"));
    const { violations } = await runPolicy(policy, resource);
    expect(violations).toEqual([
      expect.stringContaining('fileSettings["queue.strategy.route.0001.else"] names'),
    ]);
  });

  test("names two that are not declared: both are listed", async () => {
    const keys = { ...RELAY, ...rules("'b'"), "queue.strategy.route.0000.then": "'a'" };
    expect((await runPolicy(policy, settings(keys))).violations).toHaveLength(2);
  });

  test("is a desired state whose outbound.route is none of its relays", async () => {
    const { violations } = await runPolicy(
      policy,
      component({ relays: [{ name: "smarthost", host: "mailbox" }], outbound: { route: "other" } }),
    );
    expect(violations).toEqual([
      expect.stringContaining("settings.outbound.route names a route that is not declared."),
    ]);
    expect(violations[0]).toContain("instead: the name of one of settings.relays");
  });
});

describe("relay-route-exists accepts a strategy that names", () => {
  test.each([
    ["a declared relay", settings({ ...RELAY, ...rules("'smarthost'") })],
    ["a relay in double quotes", settings({ ...RELAY, ...rules('"smarthost"') })],
    [
      "a relay whose name has a dot",
      settings({ "queue.route.a.b.type": "relay", "queue.route.a.b.address": "x", ...rules("'a.b'") }),
    ],
    ["a route of type mx", settings({ "queue.route.direct.type": "mx", ...rules("'direct'") })],
    ["the built-in mx", settings(rules("'mx'"))],
    ["the built-in local", settings({ "queue.strategy.route": "'local'" })],
    ["a relay that stands in the config file", settings(rules("'smarthost'"), RELAY)],
    [
      "one of the desired state's relays",
      component({ relays: [{ name: "smarthost" }], outbound: { route: "smarthost" } }),
    ],
    ["nothing in the desired state, which is mx", component({ relays: [] })],
    [
      "a relay, with keys that are sorted as text and not as they were written",
      settings({
        "queue.strategy.route.1.else": "'smarthost'",
        "queue.strategy.route.0.then": "'local'",
        ...RELAY,
        "queue.strategy.route.0.if": LOCAL,
      }),
    ],
  ])("%s", async (_, resource) => {
    expect(await runPolicy(policy, resource)).toEqual(PASSED);
  });
});

describe("relay-route-exists does not judge what is unknown at preview", () => {
  test.each([
    ["a branch", settings({ ...RELAY, ...rules(UNKNOWN) }), `${ELSE}: unknown until the update`],
    ["all of the settings", settings(UNKNOWN_OBJECT), "settings: unknown until the update"],
    [
      "the config file's settings, where the route may be",
      settings(rules("'smarthost'"), UNKNOWN_OBJECT),
      "fileSettings: unknown until the update",
    ],
    [
      "a declared route's type",
      settings({ ...RELAY, "queue.route.smarthost.type": UNKNOWN, ...rules("'smarthost'") }),
      `${ELSE}: the routes that are declared are unknown until the update`,
    ],
    [
      "the desired state's route",
      component({ relays: [], outbound: { route: UNKNOWN } }),
      "settings.outbound.route: unknown until the update",
    ],
    [
      "the desired state's relays",
      component({ relays: UNKNOWN_LIST, outbound: { route: "smarthost" } }),
      "settings.outbound.route: the routes that are declared are unknown until the update",
    ],
    [
      "the name of one of the desired state's relays",
      component({ relays: [{ name: UNKNOWN }], outbound: { route: "smarthost" } }),
      "settings.outbound.route: the routes that are declared are unknown until the update",
    ],
    [
      "what an expression gives",
      settings({ ...RELAY, ...rules("key_get('routes', rcpt_domain)") }),
      `${ELSE}: only Stalwart can tell what its expression gives; write the name in quotes`,
    ],
  ])("%s", async (_, resource, line) => {
    expect(await runPolicy(policy, resource)).toEqual({ violations: [], notJudged: [line] });
  });

  test("and judges the rest: an unknown relay address and an unknown condition take nothing away", async () => {
    const keys = {
      "queue.route.smarthost.type": "relay",
      "queue.route.smarthost.address": UNKNOWN,
      ...rules("'smarthost'"),
      "queue.strategy.route.0000.if": UNKNOWN,
      "queue.strategy.route.0000.then": "'other'",
    };
    const outcome = await runPolicy(policy, settings(keys));
    expect(outcome.violations).toEqual([expect.stringContaining('["queue.strategy.route.0000.then"] names')]);
    expect(outcome.notJudged).toEqual([]);
  });
});

describe("relay-route-exists repeats no secret", () => {
  test.each([
    ["a strategy", settings({ ...RELAY, ...rules(secret("'opensesame'")) })],
    [
      "a bare strategy",
      settings({ "queue.strategy.route": secret("if_then(sender == 'opensesame', 'opensesame', 'mx')") }),
    ],
    [
      "the desired state",
      component({ outbound: { route: secret("opensesame") }, relays: [{ name: secret("password1") }] }),
    ],
  ])("of %s", async (_, resource) => {
    const outcome = await runPolicy(policy, resource);
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.violations[0]).toContain("names a route that is not declared");
  });
});

describe("relay-route-exists is not concerned with", () => {
  test.each([
    [
      "a container",
      { type: "docker:index/container:Container", props: { envs: ["A=queue.strategy.route"] } },
    ],
    ["settings without a strategy", settings(RELAY)],
    [
      "settings of the registry's generation, which have no flat keys",
      { type: "tailwart:mail:Settings", props: { target: {} } },
    ],
    [
      "a component without a desired state",
      { type: "tailwart:mail:MailSettings", props: { settings: null } },
    ],
  ])("%s", async (_, resource) => {
    const outcome = await runPolicy(policy, resource);
    expect(outcome).toMatchObject(PASSED);
    expect(outcome.notApplicable).toBeTruthy();
  });
});
