import { describe, expect, test } from "vitest";
import { acmeDnsSecretPresent as policy } from "../../policies/rules/acme-dns-secret-present.ts";
import {
  PASSED,
  runPolicy,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  UNKNOWN_OBJECT,
  urnOf,
  type TestResource,
} from "./harness.ts";
import { args, CONTAINER, keys, resource } from "./resources.ts";

const FILE = "%{file:/etc/stalwart/secrets/dns}%";
const DNS01 = { "acme.le.domains.0000": "*.example.org", "acme.le.challenge": "dns-01" };
/** A client of the 0.15 line: the secret in the config file, the rest through the API. */
const client = (change: object, file: object = { "acme.le.secret": FILE }) =>
  keys({ ...DNS01, "acme.le.provider": "cloudflare", ...change }, file);
const component = (dnsProvider: unknown, challenge: unknown = "dns-01") =>
  args({ acme: [{ id: "le", challenge, names: ["*.example.org"] }], dnsProvider });
const container = (props: object, role?: string) =>
  resource(CONTAINER, "server", {
    ...props,
    ...(role && { labels: [{ label: "tailwart.role", value: role }] }),
  });
const upload = (content: unknown) =>
  container({
    uploads: [
      { file: "/other", content: "" },
      { file: "/etc/stalwart/secrets/dns", ...(content as object) },
    ],
  });

describe("acme-dns-secret-present refuses", () => {
  test("an empty secret, and says where, what, why and what to write instead", async () => {
    const { violations, notJudged } = await runPolicy(policy, client({}, { "acme.le.secret": " " }));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(
      /^fileSettings\["acme\.le\.secret"\] is empty while the challenge is dns-01\.\n {2}why: .*_acme-challenge.*lesson 2/,
    );
    expect(violations[0]).toMatch(
      /instead: the path of a file in Stalwart's container .*from a config secret/,
    );
    expect(notJudged).toEqual([]);
  });

  test.each([
    [
      "a secret that is not declared",
      client({}, {}),
      'settings["acme.le.secret"] is not declared',
      /admin UI alone/,
    ],
    [
      "a masked secret",
      client({}, { "acme.le.secret": secret("****") }),
      'fileSettings["acme.le.secret"] is the mask',
      /overwrites the real one/,
    ],
    [
      "a secret masked as a browser does",
      client({}, { "acme.le.secret": "••••••••" }),
      'fileSettings["acme.le.secret"] is the mask',
      /./,
    ],
    [
      "a reference to no file",
      client({}, { "acme.le.secret": "%{file: }%" }),
      'fileSettings["acme.le.secret"] refers to no file',
      /./,
    ],
    [
      "a reference to no variable",
      client({}, { "acme.le.secret": "%{env:}%" }),
      'fileSettings["acme.le.secret"] refers to no env',
      /./,
    ],
    [
      "a macro in the data store",
      client({ "acme.le.secret": FILE }, {}),
      'settings["acme.le.secret"] is a macro in the data store',
      /expands none/,
    ],
    [
      "DNS-01 without a DNS provider",
      keys(DNS01, { "acme.le.secret": FILE }),
      'settings["acme.le.provider"] is not set',
      /nothing can write/,
    ],
    [
      "DNS-01 with an empty DNS provider",
      client({ "acme.le.provider": "" }),
      'settings["acme.le.provider"] is not set',
      /./,
    ],
    [
      "OVH without its consumer key",
      client({ "acme.le.provider": "ovh" }),
      'settings["acme.le.consumer-key"] is not declared',
      /./,
    ],
    ["a component without a DNS provider", component(undefined), "settings.dnsProvider.type is not set", /./],
    [
      "a component's provider without a secret",
      component({ type: "cloudflare" }),
      "settings.dnsProvider.secretFile is not declared",
      /./,
    ],
    [
      "a component's provider with an empty secret",
      component({ type: "cloudflare", secretFile: "" }),
      "settings.dnsProvider.secretFile is empty",
      /./,
    ],
    [
      "a component's provider with a mask",
      component({ type: "cloudflare", secretFile: "****" }),
      "settings.dnsProvider.secretFile is the mask",
      /./,
    ],
    [
      "a component's OVH without its consumer key",
      component({ type: "ovh", secretFile: "/s" }),
      "settings.dnsProvider.consumerKeyFile is not declared",
      /./,
    ],
  ])("%s", async (_, resource, place, words) => {
    const { violations } = await runPolicy(policy, resource);
    expect(violations).toHaveLength(1);
    expect(violations[0]?.startsWith(place)).toBe(true);
    expect(violations[0]).toMatch(words);
  });

  test("one DNS provider once, though two clients use it", async () => {
    const entry = { challenge: "dns-01", names: ["a.example.org"] };
    const resource = args({ acme: [entry, entry], dnsProvider: { type: "cloudflare" } });
    expect((await runPolicy(policy, resource)).violations).toHaveLength(1);
  });

  test("a blank secret beside unknown values, which are listed", async () => {
    const resource = client(
      { "acme.le.provider": "ovh" },
      { "acme.le.secret": "", "acme.le.consumer-key": UNKNOWN },
    );
    const outcome = await runPolicy(policy, resource);
    expect(outcome.violations).toHaveLength(1);
    expect(outcome.notJudged).toEqual(['fileSettings["acme.le.consumer-key"]: unknown until the update']);
    expect(outcome.blind).toBeUndefined();
  });

  const stalwart = (...envs: unknown[]) => container({ envs }, "stalwart");
  const byVariable = client({}, { "acme.le.secret": "%{env:DNS_TOKEN}%" });
  test.each([
    [
      "an upload that is empty",
      client({}),
      upload({ content: secret("\n") }),
      "uploads[1].content (/etc/stalwart/secrets/dns) is empty",
    ],
    [
      "an upload without content",
      component({ type: "desec", secretFile: "/etc/stalwart/secrets/dns" }),
      upload({}),
      "uploads[1].content (/etc/stalwart/secrets/dns) is empty",
    ],
    ["an upload that holds a mask", client({}), upload({ content: "****" }), "holds a mask"],
    [
      "an upload that holds a mask in base64",
      client({}),
      upload({ contentBase64: Buffer.from("****").toString("base64") }),
      "holds a mask",
    ],
    ["a variable that is empty", byVariable, stalwart("DNS_TOKEN="), "envs (DNS_TOKEN) is empty"],
    [
      "a variable that Stalwart's container is not given",
      byVariable,
      stalwart("OTHER=x"),
      "envs lacks DNS_TOKEN, which the DNS provider's secret is read from",
    ],
  ])("%s, seen over the stack", async (_, settings, other, words) => {
    const { violations, notJudged } = await runStackPolicy(policy, [settings, other]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(words);
    expect(violations[0]).toMatch(/instead: the key that the DNS provider gave out/);
    expect(notJudged).toEqual([]);
  });
});

describe("acme-dns-secret-present passes", () => {
  test.each([
    ["a file", client({})],
    ["a variable", client({}, { "acme.le.secret": "%{env:DNS_TOKEN}%" })],
    ["a literal, which is another policy's matter", client({ "acme.le.secret": secret("opensesame") }, {})],
    [
      "OVH with both of its secrets",
      client({ "acme.le.provider": "ovh" }, { "acme.le.secret": FILE, "acme.le.consumer-key": FILE }),
    ],
    ["another challenge without a secret", client({ "acme.le.challenge": "http-01" }, {})],
    ["no challenge, which means TLS-ALPN-01", keys({ "acme.le.domains": "mail.example.org" })],
    ["an unknown challenge where the secret is there", client({ "acme.le.challenge": UNKNOWN })],
    ["a component's file", component({ type: "cloudflare", secretFile: "/etc/stalwart/secrets/dns" })],
    ["settings without a client", keys({ "queue.strategy.route": "'local'" })],
    ["a component without a client", args({ hostname: "mail.example.org" })],
  ])("%s", async (_, resource) => {
    expect(await runPolicy(policy, resource)).toEqual(PASSED);
  });

  test("an upload with a key, and does not repeat it", async () => {
    expect(await runStackPolicy(policy, [client({}), upload({ content: secret("opensesame") })])).toEqual(
      PASSED,
    );
    const base64 = { contentBase64: Buffer.from("opensesame").toString("base64") };
    expect(await runStackPolicy(policy, [client({}), upload(base64)])).toEqual(PASSED);
  });

  test("over other types, and over stacks that refer to nothing", async () => {
    expect((await runPolicy(policy, upload({ content: "" }))).notApplicable).toMatch(
      /only tailwart:mail:Settings/,
    );
    const literal = client({ "acme.le.secret": "opensesame" }, {});
    const raw = client({ "acme.le.secret": FILE }, {});
    const other = client({ "acme.le.challenge": "http-01" });
    const empty = client({}, { "acme.le.secret": "%{file:}%" });
    for (const resources of [[literal], [raw], [other], [empty], [upload({ content: "" })]]) {
      const { notApplicable } = await runStackPolicy(policy, resources);
      expect(notApplicable).toBe("no DNS provider's secret is read from a file or a variable");
    }
  });
});

describe("acme-dns-secret-present lists as not judged", () => {
  test.each([
    ["an unknown secret", client({}, { "acme.le.secret": UNKNOWN }), ['fileSettings["acme.le.secret"]']],
    ["an unknown DNS provider", client({ "acme.le.provider": UNKNOWN }), ['settings["acme.le.provider"]']],
    [
      "an unknown challenge where the secret is not there",
      client({ "acme.le.challenge": UNKNOWN }, {}),
      ['settings["acme.le.challenge"]'],
    ],
    [
      "an unknown challenge with an unknown secret",
      client({ "acme.le.challenge": UNKNOWN }, { "acme.le.secret": UNKNOWN }),
      ['settings["acme.le.challenge"]'],
    ],
    [
      "an unknown config file, which may hold the secret",
      keys({ ...DNS01, "acme.le.provider": "desec" }, UNKNOWN_OBJECT),
      ["fileSettings"],
    ],
    [
      "a component's unknown secret",
      component({ type: "desec", secretFile: UNKNOWN }),
      ["settings.dnsProvider.secretFile"],
    ],
    ["clients that are unknown", args({ acme: UNKNOWN_LIST }), ["settings.acme"]],
  ])("%s", async (_, resource, places) => {
    const outcome = await runPolicy(policy, resource);
    expect(outcome.violations).toEqual([]);
    expect(outcome.notJudged).toEqual(places.map((where) => `${where}: unknown until the update`));
    expect(outcome.blind).toBeUndefined();
  });

  const uploads = (list: unknown) => container({ uploads: list });
  test.each([
    [
      "an upload's unknown content",
      upload({ content: UNKNOWN }),
      "uploads[1].content (/etc/stalwart/secrets/dns): unknown until the update",
    ],
    [
      "unknown uploads",
      uploads(UNKNOWN_LIST),
      "uploads (/etc/stalwart/secrets/dns): unknown until the update",
    ],
    [
      "an upload from a local file",
      upload({ source: "./key" }),
      "uploads[1].content (/etc/stalwart/secrets/dns): comes from a local file, which is only read at deploy",
    ],
    [
      "a file that nothing uploads",
      uploads([]),
      "/etc/stalwart/secrets/dns: no container of the stack uploads it, so whether it holds anything is not seen",
    ],
  ])("%s, seen over the stack", async (_, other, line) => {
    const outcome = await runStackPolicy(policy, [client({}), other]);
    expect(outcome).toEqual({ violations: [], notJudged: [line] });
  });

  test.each([
    [
      "a variable of a container that the stack does not show",
      container({ envs: ["DNS_TOKEN="] }),
      "envs (DNS_TOKEN): no container has the label tailwart.role=stalwart, so whether it is set is not seen",
    ],
    [
      "a variable that an unknown entry may set",
      container({ envs: [UNKNOWN] }, "stalwart"),
      "envs (DNS_TOKEN): unknown until the update",
    ],
  ])("%s", async (_, other, line) => {
    const outcome = await runStackPolicy(policy, [
      client({}, { "acme.le.secret": "%{env:DNS_TOKEN}%" }),
      other,
    ]);
    expect(outcome).toEqual({ violations: [], notJudged: [line] });
  });
});

test("a blank upload is reported on the container that has it", async () => {
  const other = upload({ content: "" });
  const { judgeStack } = policy;
  const subject = ({ type, props, name = "" }: TestResource) => ({
    type,
    name,
    urn: urnOf({ type, props, name }),
    props: props as Record<string, unknown>,
    opts: { protect: false },
  });
  const verdict = await judgeStack?.([subject(client({})), subject(other)], undefined);
  expect(verdict).toMatchObject({ findings: [{ urn: urnOf(other) }] });
});
