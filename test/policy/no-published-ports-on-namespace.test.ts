import { describe, expect, test } from "vitest";
import { noPublishedPortsOnNamespace as policy } from "../../policies/rules/no-published-ports-on-namespace.ts";
import { PASSED, runPolicy, secret, UNKNOWN, UNKNOWN_LIST, type TestResource } from "./harness.ts";
import { labels as role } from "./resources.ts";

const container = (props: object, labels: unknown = [{ label: "tailwart.role", value: "stalwart" }]) =>
  ({ type: "docker:index/container:Container", props: { labels, ...props } }) satisfies TestResource;
const SMTP = { ports: [{ internal: 25, external: 25 }] };

describe("no-published-ports-on-namespace refuses", () => {
  test.each(["anchor", "sidecar", "stalwart"])("a port that %s publishes", async (value) => {
    const { violations } = await runPolicy(policy, container(SMTP, role(value)));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(`ports[0] (25) publishes Stalwart's namespace on the ${value}'s host`);
  });

  test.each([
    [
      "each port by itself",
      { ports: [{ internal: 25 }, { internal: 993 }] },
      ["ports[0] (25)", "ports[1] (993)"],
    ],
    ["one that is bound to loopback", { ports: [{ internal: 25, ip: "127.0.0.1" }] }, ["ports[0] (25)"]],
    ["all that the image exposes", { publishAllPorts: true }, ["publishAllPorts"]],
    ["one whose number is a secret", { ports: secret([{ internal: 25 }]) }, ["ports[0] (25)"]],
    ["one whose number is unknown", { ports: [{ internal: UNKNOWN }] }, ["ports[0] publishes"]],
    ["a known one beside an unknown one", { ports: [UNKNOWN, { internal: 25 }] }, ["ports[1] (25)"]],
  ])("%s", async (_, props, wheres) => {
    const { violations } = await runPolicy(policy, container(props));
    expect(violations).toHaveLength(wheres.length);
    for (const [i, where] of wheres.entries()) expect(violations[i]).toContain(where);
  });

  test("and says why and what to write instead", async () => {
    const { violations } = await runPolicy(policy, container(SMTP));
    expect(violations[0]).toMatch(/why: a published port is open to the internet .*PROXY headers.* \(https:/);
    expect(violations[0]).toMatch(/instead: no port here: the edge .*MagicDNS name/);
  });
});

describe("no-published-ports-on-namespace passes", () => {
  test.each([
    ["no ports", {}],
    ["an empty list", { ports: [] }],
    ["publishAllPorts: false", { publishAllPorts: false }],
  ])("%s", async (_, props) => {
    expect(await runPolicy(policy, container(props))).toEqual(PASSED);
  });

  test.each([
    ["the edge", role("edge")],
    ["a container of somebody else", [{ label: "app", value: "stalwart" }]],
    ["a container without labels", []],
  ])("over %s, which it does not concern", async (_, labels) => {
    expect((await runPolicy(policy, container(SMTP, labels))).notApplicable).toMatch(/tailwart\.role/);
  });

  test("over what is no container", async () => {
    const network = { type: "docker:index/network:Network", props: SMTP };
    expect((await runPolicy(policy, network)).notApplicable).toContain("docker:index/container:Container");
  });
});

describe("no-published-ports-on-namespace lists as not judged", () => {
  test.each([
    ["an unknown list of ports", { ports: UNKNOWN_LIST }, ["ports"]],
    ["an unknown port", { ports: [UNKNOWN] }, ["ports[0]"]],
    ["an unknown publishAllPorts", { publishAllPorts: UNKNOWN }, ["publishAllPorts"]],
  ])("%s", async (_, props, wheres) => {
    const { violations, notJudged } = await runPolicy(policy, container(props));
    expect(violations).toEqual([]);
    expect(notJudged).toEqual(wheres.map((where) => `${where}: unknown until the update`));
  });

  test.each([
    ["unknown labels", UNKNOWN_LIST],
    ["an unknown label", [UNKNOWN]],
    ["a label with an unknown name", [{ label: UNKNOWN, value: "stalwart" }]],
    ["a role that is unknown", role(UNKNOWN)],
  ])("%s, where a port is published", async (_, labels) => {
    expect(await runPolicy(policy, container(SMTP, labels))).toEqual({
      violations: [],
      notJudged: ["labels: unknown until the update"],
    });
    expect(await runPolicy(policy, container({ ports: UNKNOWN_LIST }, labels))).toMatchObject({
      notJudged: ["labels: unknown until the update"],
    });
    expect(await runPolicy(policy, container({}, labels))).toEqual(PASSED);
  });

  test("nothing of an unknown label beside the role", async () => {
    const labels = [{ label: "other", value: UNKNOWN }, ...role("anchor")];
    expect(await runPolicy(policy, container({}, labels))).toEqual(PASSED);
    expect((await runPolicy(policy, container(SMTP, labels))).violations).toHaveLength(1);
  });
});
