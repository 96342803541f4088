import { describe, expect, test } from "vitest";
import { stalwartSharesAnchor as policy } from "../../policies/rules/stalwart-shares-anchor.ts";
import {
  PASSED,
  runStackPolicy,
  secret,
  UNKNOWN,
  UNKNOWN_LIST,
  urnOf,
  type TestResource,
} from "./harness.ts";
import { comesFrom, CONTAINER, labels, resource } from "./resources.ts";

const ID = "0123456789abcdef".repeat(4);
const WHO = ["sidecar", "stalwart"] as const;

const container = (role: string, props: object, sources: readonly TestResource[] = []) => {
  const own = { name: `mail-${role}`, restart: "always", labels: labels(role) };
  return resource(CONTAINER, role, { ...own, ...props }, comesFrom({ networkMode: sources }));
};
const anchor = container("anchor", { networkMode: "mail" });
const byId = `container:${ID}`;

/** A stack that is as it should be, but for what is given for one of the two that join. */
function stack(role: (typeof WHO)[number], props: object, sources: readonly TestResource[] = [anchor]) {
  const join = (each: string) =>
    each === role
      ? container(each, { networkMode: byId, ...props }, sources)
      : container(each, { networkMode: byId }, [anchor]);
  return [anchor, join("sidecar"), join("stalwart")];
}

describe.each(WHO)("stalwart-shares-anchor refuses that the %s", (role) => {
  test.each([
    [
      "joins the anchor by its name",
      { networkMode: "container:mail-anchor" },
      [anchor],
      /joins a container by its name/,
    ],
    [
      "joins by a name of hex digits",
      { name: "deadbeefdead", networkMode: "container:deadbeefdead" },
      [anchor],
      /by its name/,
    ],
    [
      "joins by a name that no resource has",
      { networkMode: "container:stalwart" },
      [],
      /joins a container by its name/,
    ],
    [
      "joins a network that is secret",
      { networkMode: secret("opensesame") },
      [anchor],
      /does not join the anchor's network/,
    ],
    ["is on the bridge", { networkMode: "bridge" }, [], /does not join the anchor's network namespace/],
    [
      "is on the host's network",
      { networkMode: "host" },
      [anchor],
      /does not join the anchor's network namespace/,
    ],
    [
      "says nothing of its network",
      { networkMode: undefined },
      [],
      /does not join the anchor's network namespace/,
    ],
    ["joins by an id that is written down", {}, [], /by an id that does not come from the anchor/],
  ])("%s", async (_, props, sources, pattern) => {
    const { violations } = await runStackPolicy(policy, stack(role, props, sources));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(pattern);
    expect(violations[0]).toMatch(/^networkMode /);
  });

  test("joins another container, known or not", async () => {
    const other = container("edge", {});
    for (const networkMode of [byId, UNKNOWN]) {
      const { violations } = await runStackPolicy(policy, [...stack(role, { networkMode }, [other]), other]);
      expect(violations).toHaveLength(1);
      expect(violations[0]).toMatch(
        /does not come from the anchor|comes from a resource that is not the anchor/,
      );
    }
  });

  test("publishes ports of its own", async () => {
    const ports = [{ internal: 25, external: 25 }];
    const { violations } = await runStackPolicy(policy, stack(role, { ports, publishAllPorts: true }));
    expect(violations).toHaveLength(2);
    expect(violations[0]).toMatch(/^ports\[0\] \(25\) publishes a port of its own/);
    expect(violations[1]).toMatch(/^publishAllPorts/);
  });
});

describe("stalwart-shares-anchor refuses", () => {
  test.each(["anchor", ...WHO])("that the %s does not always restart", async (role) => {
    for (const restart of ["no", "on-failure", "unless-stopped", undefined]) {
      const resources = stack("sidecar", {}).map((resource) =>
        resource.name === role ? { ...resource, props: { ...resource.props, restart } } : resource,
      );
      const { violations } = await runStackPolicy(policy, resources);
      expect(violations).toHaveLength(1);
      expect(violations[0]).toMatch(/^restart is not "always"/);
    }
  });

  test("a stack without an anchor", async () => {
    const { violations } = await runStackPolicy(policy, stack("stalwart", {}).slice(1));
    expect(violations).toHaveLength(2);
  });

  test("two anchors, one for Stalwart and one for the sidecar", async () => {
    const second = { ...container("anchor", {}), name: "second" };
    const { violations } = await runStackPolicy(policy, [...stack("stalwart", {}, [second]), second]);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(/^networkMode joins another anchor than the sidecar does/);
  });

  test("a Stalwart whose watch is off (lesson 16)", async () => {
    const { violations } = await runStackPolicy(policy, stack("stalwart", { envs: ["TAILWART_WATCH=off"] }));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(/^envs has TAILWART_WATCH=off/);
    for (const envs of [["TAILWART_WATCH=on"], ["OTHER=off"], undefined])
      expect(await runStackPolicy(policy, stack("stalwart", { envs }))).toEqual(PASSED);
  });

  test("and says why and what to write instead", async () => {
    const { violations } = await runStackPolicy(policy, stack("stalwart", { networkMode: "host" }));
    expect(violations[0]).toMatch(/why: a namespace dies with the container .*\(lesson 13, https:/);
    expect(violations[0]).toContain("instead: `container:${anchor.id}` with the id of the container");
  });
});

describe("stalwart-shares-anchor passes", () => {
  test("both joined by the anchor's id", async () => {
    expect(await runStackPolicy(policy, stack("stalwart", {}))).toEqual(PASSED);
  });

  test("both at the first preview, where the id is unknown: it comes from the anchor", async () => {
    const unknown = { networkMode: UNKNOWN };
    const resources = [
      anchor,
      container("sidecar", unknown, [anchor]),
      container("stalwart", unknown, [container("edge", {}), anchor]),
    ];
    expect(await runStackPolicy(policy, resources)).toEqual(PASSED);
  });

  test("two mail stacks in one program, each with its own anchor", async () => {
    const twin = (resource: TestResource): TestResource => ({ ...resource, name: `${resource.name}-2` });
    const second = twin(anchor);
    const others = WHO.map((role) => twin(container(role, { networkMode: byId }, [second])));
    expect(await runStackPolicy(policy, [...stack("stalwart", {}), second, ...others])).toEqual(PASSED);
  });

  test("over containers that are not the mail stack's", async () => {
    const unlabelled = { type: anchor.type, props: { networkMode: "host" } };
    const { notApplicable } = await runStackPolicy(policy, [
      unlabelled,
      container("edge", { networkMode: "host" }),
    ]);
    expect(notApplicable).toMatch(/tailwart\.role/);
  });

  test("over what is no container", async () => {
    const { notApplicable } = await runStackPolicy(policy, [
      { ...anchor, type: "docker:index/network:Network" },
    ]);
    expect(notApplicable).toMatch(/no container/);
  });
});

describe("stalwart-shares-anchor lists as not judged", () => {
  test.each([
    ["a network mode of which nothing is known", { networkMode: UNKNOWN }, "networkMode"],
    ["an unknown restart policy", { restart: UNKNOWN }, "restart"],
    ["unknown ports", { ports: UNKNOWN_LIST }, "ports"],
    ["a variable that may be the watch's", { envs: [UNKNOWN] }, "envs"],
  ])("%s", async (_, props, where) => {
    expect(
      await runStackPolicy(policy, stack("stalwart", props, where === "networkMode" ? [] : [anchor])),
    ).toEqual({
      violations: [],
      notJudged: [`${where}: unknown until the update`],
    });
  });

  test("a container whose labels come from another resource, but not one that gives none", async () => {
    const open = { ...anchor, name: "open", props: { labels: UNKNOWN_LIST } };
    const fromAnchor = { ...open, propertyDependencies: { labels: [urnOf(anchor)] } };
    expect(await runStackPolicy(policy, [...stack("stalwart", {}), fromAnchor])).toEqual({
      violations: [],
      notJudged: ["labels: unknown until the update"],
    });
    expect(await runStackPolicy(policy, [...stack("stalwart", {}), open])).toEqual(PASSED);
    const other = { ...anchor, type: "docker:index/network:Network" };
    const fromOther = { ...open, propertyDependencies: { labels: [urnOf(other)] } };
    expect((await runStackPolicy(policy, [other, fromOther])).notApplicable).toBeUndefined();
  });
});
