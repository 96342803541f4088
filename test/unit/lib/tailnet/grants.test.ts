import { describe, expect, test } from "vitest";
import { grantsFor, tagOwnersFor, tagsOf, testsFor } from "../../../../lib/tailnet/grants.ts";

const flow = (from: string, to: string, port: number) => ({
  from,
  to,
  proto: "tcp" as const,
  port,
  why: "test",
});
const flows = [
  flow("tag:edge", "tag:stalwart", 25),
  flow("tag:edge", "tag:stalwart", 993),
  flow("tag:stalwart", "tag:db", 5432),
  flow("tag:stalwart", "tag:mail", 587),
  flow("group:ops", "tag:stalwart", 8080),
];

describe("grants from the flow table", () => {
  test("one grant for each pair of source and destination, ports in `ip`", () => {
    expect(grantsFor(flows)).toEqual([
      { src: ["tag:edge"], dst: ["tag:stalwart"], ip: ["tcp:25", "tcp:993"] },
      { src: ["tag:stalwart"], dst: ["tag:db"], ip: ["tcp:5432"] },
      { src: ["tag:stalwart"], dst: ["tag:mail"], ip: ["tcp:587"] },
      { src: ["group:ops"], dst: ["tag:stalwart"], ip: ["tcp:8080"] },
    ]);
  });

  test("a flow that stands twice is granted once", () => {
    expect(grantsFor([flows[0]!, flows[0]!])).toEqual([
      { src: ["tag:edge"], dst: ["tag:stalwart"], ip: ["tcp:25"] },
    ]);
  });

  test("every tag of the table gets owners, people do not", () => {
    expect(tagOwnersFor(tagsOf(flows), ["group:ops"])).toEqual({
      "tag:edge": ["group:ops"],
      "tag:stalwart": ["group:ops"],
      "tag:db": ["group:ops"],
      "tag:mail": ["group:ops"],
    });
  });
});

describe("tests from the flow table", () => {
  const tests = testsFor(flows);
  const of = (src: string) => tests.find((entry) => entry.src === src);

  test("each flow between tags is accepted", () => {
    expect(of("tag:edge")?.accept).toEqual(["tag:stalwart:25", "tag:stalwart:993"]);
    expect(of("tag:stalwart")?.accept).toEqual(["tag:db:5432", "tag:mail:587"]);
  });

  test("the opposite direction is denied (lesson 11)", () => {
    expect(of("tag:mail")?.deny).toContain("tag:stalwart:587");
    expect(of("tag:stalwart")?.deny).toContain("tag:edge:25");
  });

  test("ports that are open to somebody else are denied", () => {
    expect(of("tag:edge")?.deny).toContain("tag:db:5432");
    expect(of("tag:edge")?.deny).toContain("tag:stalwart:8080");
    expect(of("tag:edge")?.deny).toContain("tag:stalwart:22");
  });

  test("every destination has exactly one port, and nothing is both accepted and denied", () => {
    for (const { accept = [], deny = [] } of tests) {
      for (const destination of [...accept, ...deny]) expect(destination).toMatch(/^tag:[a-z]+:\d+$/);
      expect(deny.filter((destination) => accept.includes(destination))).toEqual([]);
    }
    expect(tests.flatMap(({ accept = [] }) => accept)).toHaveLength(4);
  });

  test("people are tested only when asked for", () => {
    expect(of("group:ops")).toBeUndefined();
    expect(testsFor(flows, { people: true })).toContainEqual({
      src: "group:ops",
      proto: "tcp",
      accept: ["tag:stalwart:8080"],
    });
  });
});
