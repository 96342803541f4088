import { describe, expect, test } from "vitest";
import { wildcardNeedsDns01 as policy } from "../../policies/rules/wildcard-needs-dns01.ts";
import { PASSED, runPolicy, secret, UNKNOWN, UNKNOWN_LIST, UNKNOWN_OBJECT } from "./harness.ts";
import { args, keys } from "./resources.ts";

const client = (settings: Record<string, unknown>) =>
  keys(Object.fromEntries(Object.entries(settings).map(([key, value]) => [`acme.le.${key}`, value])));
const component = (entry: object) => args({ acme: [{ id: "le", ...entry }] });

describe("wildcard-needs-dns01 refuses", () => {
  test("a wildcard with HTTP-01, and says where, what, why and what to write instead", async () => {
    const { violations, notJudged } = await runPolicy(
      policy,
      client({ challenge: "http-01", "domains.0000": "mail.example.org", "domains.0001": "*.example.org" }),
    );
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(
      /^settings\["acme\.le\.domains\.0001"\] asks for a wildcard with http-01\.\n {2}why: .*over DNS alone.*lesson 4/,
    );
    expect(violations[0]).toMatch(/instead: challenge dns-01 with a DNS provider/);
    expect(notJudged).toEqual([]);
  });

  test.each([
    ["with TLS-ALPN-01", client({ challenge: "tls-alpn-01", domains: "*.example.org" }), "with tls-alpn-01"],
    [
      "where no challenge is written, which means TLS-ALPN-01",
      client({ domains: " *.example.org" }),
      "with tls-alpn-01",
    ],
    ["in the config file", keys({}, { "acme.le.domains.0000": "*.example.org" }), "with tls-alpn-01"],
    [
      "of a client whose id has a dot",
      keys({ "acme.a.b.domains.0000": "*.example.org" }),
      "with tls-alpn-01",
    ],
    [
      "in a component's args",
      component({ challenge: "http-01", names: ["a.example.org", "*.example.org"] }),
      "settings.acme[0].names[1] asks for a wildcard with http-01",
    ],
    [
      "that an empty list stands for",
      client({ directory: "https://ca.example/dir", challenge: "http-01" }),
      'settings["acme.le.domains"] is empty, which stands for the domain\'s wildcard',
    ],
    [
      "that an empty list in a component's args stands for",
      component({ challenge: "http-01", names: [] }),
      "settings.acme[0].names is empty",
    ],
  ])("a wildcard %s", async (_, resource, words) => {
    const { violations } = await runPolicy(policy, resource);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(words);
  });

  test("a wildcard in a secret, whose value it does not repeat, nor a challenge that is none", async () => {
    const resource = client({
      challenge: secret("hunter2hunter2"),
      domains: secret("*.internal-name.example"),
    });
    const { violations } = await runPolicy(policy, resource);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("asks for a wildcard with another challenge than dns-01");
  });

  test("a wildcard beside unknown names, which are listed", async () => {
    const outcome = await runPolicy(
      policy,
      client({ challenge: "http-01", "domains.0000": "*.example.org", "domains.0001": UNKNOWN }),
    );
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual(['settings["acme.le.domains.0001"]: unknown until the update']);
    expect(outcome.blind).toBeUndefined();
  });

  test("only the client with the wrong challenge, where two are declared", async () => {
    const resource = args({
      acme: [
        { id: "a", challenge: "dns-01", names: ["*.a.example.org"] },
        { id: "b", challenge: "http-01", names: ["*.b.example.org"] },
      ],
    });
    const { violations } = await runPolicy(policy, resource);
    expect(violations.map((violation) => violation.split(" ")[0])).toEqual(["settings.acme[1].names[0]"]);
  });
});

describe("wildcard-needs-dns01 passes", () => {
  test.each([
    ["a wildcard with DNS-01", client({ challenge: "dns-01", domains: "*.example.org" })],
    ["a wildcard with DNS-PERSIST-01", component({ challenge: "dns-persist-01", names: ["*.example.org"] })],
    ["an empty list with DNS-01", component({ challenge: "dns-01", names: [] })],
    ["unknown names with DNS-01", component({ challenge: "dns-01", names: UNKNOWN_LIST })],
    ["names one by one with HTTP-01", client({ challenge: "http-01", domains: "mail.example.org" })],
    ["a name with a star elsewhere", client({ challenge: "http-01", domains: "a*.example.org" })],
    [
      "an unknown challenge where no name is a wildcard",
      client({ challenge: UNKNOWN, domains: "mail.example.org" }),
    ],
    ["settings without a client", keys({ "queue.strategy.route": "'local'" })],
    ["a component without a client", args({ hostname: "mail.example.org" })],
    ["a certificate that Stalwart has kept", keys({ "acme.le.cert": "…", "acme.le.account-key": "…" })],
  ])("%s", async (_, resource) => {
    expect(await runPolicy(policy, resource)).toEqual(PASSED);
  });

  test("over other types", async () => {
    const resource = {
      type: "docker:index/container:Container",
      props: { settings: { "acme.le.domains": "*.x.org" } },
    };
    expect((await runPolicy(policy, resource)).notApplicable).toMatch(/only tailwart:mail:Settings/);
  });
});

describe("wildcard-needs-dns01 lists as not judged", () => {
  test.each([
    [
      "an unknown challenge with a wildcard",
      client({ challenge: UNKNOWN, domains: "*.example.org" }),
      ['settings["acme.le.challenge"]'],
    ],
    [
      "an unknown challenge with an empty list",
      component({ challenge: UNKNOWN, names: [] }),
      ["settings.acme[0].challenge"],
    ],
    [
      "an unknown challenge with unknown names",
      component({ challenge: UNKNOWN, names: UNKNOWN_LIST }),
      ["settings.acme[0].challenge"],
    ],
    [
      "an unknown challenge with an unknown name",
      client({ challenge: UNKNOWN, domains: UNKNOWN }),
      ['settings["acme.le.challenge"]'],
    ],
    ["an unknown name", client({ challenge: "http-01", domains: UNKNOWN }), ['settings["acme.le.domains"]']],
    ["unknown names", component({ challenge: "http-01", names: UNKNOWN_LIST }), ["settings.acme[0].names"]],
    ["unknown settings", keys(UNKNOWN_OBJECT, {}), ["settings"]],
    ["clients that are unknown", args({ acme: UNKNOWN_LIST }), ["settings.acme"]],
    ["a component's unknown state", args(UNKNOWN_OBJECT), ["settings.acme"]],
  ])("%s", async (_, resource, places) => {
    const outcome = await runPolicy(policy, resource);
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged).toEqual(places.map((where) => `${where}: unknown until the update`));
    expect(outcome.blind).toBeUndefined();
  });

  test("what an unknown config file may hold of a client, beside what is known", async () => {
    const resource = keys({ "acme.le.challenge": "http-01" }, UNKNOWN_OBJECT);
    const outcome = await runPolicy(policy, resource);
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged).toContain("fileSettings: unknown until the update");
  });
});
