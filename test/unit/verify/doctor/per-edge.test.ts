import { expect, test } from "vitest";

import { CHECKS } from "../../../../verify/checks/index.ts";
import { type Check, fail, ok, withNeeds } from "../../../../verify/check.ts";
import { examine } from "../../../../verify/doctor/examine.ts";
import { ofEdges } from "../../../../verify/doctor/per-edge.ts";
import { type DoctorEdge, DoctorScene, type DoctorTarget } from "../../../../verify/doctor/target.ts";

const edge = (name: string, wanAddress: string): DoctorEdge => ({
  name,
  wanAddress,
  dockerHost: `unix:///${name}.sock`,
  container: "tailwart-prod-edge",
  names: { magicDns: "stalwart.tail.test", public: "mail.example.org" },
});
const EDGES = [edge("ams", "198.51.100.7"), edge("fra", "192.0.2.9")];
const sceneOf = (edges: DoctorEdge[]) =>
  new DoctorScene({ edges } as unknown as DoctorTarget, {} as never, () =>
    Promise.reject(new Error("not asked")),
  );

const check = (id: string, needs: string[], look: Check<DoctorScene>["look"], perEdge = true) =>
  ({
    id,
    from: "edge",
    needs,
    lesson: "docs/operate.md",
    look,
    ...(perEdge && { perEdge: true }),
  }) satisfies Check<DoctorScene>;

test("with one edge the rows have the names that they always had", () => {
  const ids = ofEdges(CHECKS, EDGES.slice(0, 1)).map(({ id }) => id);
  expect(ids).toEqual(CHECKS.map(({ id }) => id));
});

test("with several each edge has its rows, which say whose they are, and no id comes twice", () => {
  const ids = ofEdges(CHECKS, EDGES).map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(["edge-names (ams)", "edge-names (fra)", "port-25 (fra)"]));
  for (const one of ["stalwart-runs", "queue", "images", "bans", "dns-host"])
    expect(ids.filter((id) => id.startsWith(one))).toHaveLength(1);
  expect(new Set(ids).size).toBe(ids.length);
});

test("every need is a row, and each row stands behind what it needs", () => {
  for (const edges of [EDGES.slice(0, 1), EDGES]) {
    const checks = ofEdges(withNeeds(CHECKS, ["edge", "images", "proxy"]), edges);
    for (const [index, { needs }] of checks.entries())
      expect(
        checks
          .slice(0, index)
          .map(({ id }) => id)
          .filter((id) => needs.includes(id)),
      ).toHaveLength(needs.length);
  }
});

test("an edge that is away is the cause of its own rows, and of none of the other's", async () => {
  const checks = [
    check("box", [], async ({ target }) => (target.edge?.name === "ams" ? fail("away") : ok("there"))),
    check("port", ["box"], async ({ wanAddress }) => ok(wanAddress)),
    check("both", ["box"], async () => ok("fine"), false),
  ];
  const rows = await examine(ofEdges(checks, EDGES), sceneOf(EDGES));
  expect(rows).toMatchObject([
    { id: "box (ams)", state: "fail" },
    { id: "box (fra)", state: "ok" },
    { id: "port (ams)", state: "unknown", because: "box (ams)" },
    { id: "port (fra)", state: "ok", seen: "192.0.2.9" },
    { id: "both", state: "unknown", because: "box (ams)" },
  ]);
});

test("what several rows ask is asked once, whichever edge they look at", async () => {
  let asked = 0;
  const look = async (scene: DoctorScene) =>
    ok(await scene.once("something", async () => String((asked += 1))));
  await examine(ofEdges([check("a", [], look), check("b", [], look, false)], EDGES), sceneOf(EDGES));
  expect(asked).toBe(1);
});

test("a check that is not of an edge cannot take one for the whole", async () => {
  const wrong = check("wrong", [], async ({ wanAddress }) => ok(wanAddress), false);
  expect(await examine(ofEdges([wrong], EDGES), sceneOf(EDGES))).toMatchObject([
    { state: "unknown", seen: "no edge is looked at" },
  ]);
});
