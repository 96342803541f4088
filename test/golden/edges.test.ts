// Several edges, and a stack that was deployed when there was one.
import { beforeAll, describe, expect, test } from "vitest";

import type { Registered } from "../unit/components/mocks.ts";
import { configOf, resourcesOf } from "./program.ts";

const SECRETS = { "tailwart:postgresPassword": "a-password" };
const [EDGE] = JSON.parse(configOf("Pulumi.prod.yaml")["tailwart:edges"] ?? "") as object[];
const FRA = { name: "fra", dockerHost: "ssh://root@fra.example.org", wanAddress: "192.0.2.9" };

/** What a stack of `tailwart:edge` has in its state: a resource of another name is another one. */
const DEPLOYED = [
  "command:local:Command delivering-checks",
  "command:local:Command edge-reload",
  "docker:index/container:Container edge-caddy",
  "docker:index/remoteImage:RemoteImage edge-images-edge",
  "docker:index/volume:Volume edge-config",
  "docker:index/volume:Volume edge-data",
  "pulumi:providers:docker edge-box",
  "tailwart:mail:CaddyEdge edge",
  "tailwart:mail:HostImages edge-images",
  "tailwart:mail:Verification delivering",
];

const idOf = ({ type, name }: Pick<Registered, "type" | "name">) => `${type} ${name}`;

async function deploy(edges: object[]) {
  const done: string[] = [];
  const config = { ...configOf("Pulumi.prod.yaml"), "tailwart:edges": JSON.stringify(edges) };
  const resources = await resourcesOf(config, SECRETS, (type, name) => done.push(idOf({ type, name })));
  return { resources, done, ids: resources.map(idOf) };
}

let one: Awaited<ReturnType<typeof deploy>>;
let two: Awaited<ReturnType<typeof deploy>>;
beforeAll(async () => {
  const { name: _, ...unnamed } = EDGE as { name: string };
  one = await deploy([unnamed]);
  two = await deploy([EDGE as object, FRA]);
});

describe("the one edge of a stack, or the first of several", () => {
  test("is the one that tailwart:edge was: nothing that holds certificates gets another name", () => {
    expect(one.ids).toEqual(expect.arrayContaining(DEPLOYED));
    expect(two.ids).toEqual(expect.arrayContaining(DEPLOYED));
    const names = one.resources
      .filter(({ name }) => name.startsWith("edge-"))
      .flatMap(({ inputs }) => (typeof inputs["name"] === "string" ? [inputs["name"]] : []));
    expect(names).toEqual(
      expect.arrayContaining(["edge", "edge-config", "edge-data"].map((part) => `tailwart-golden-${part}`)),
    );
  });

  test("is not touched by a second one that is added", () => {
    const edges = (all: Registered[]) => all.filter((each) => DEPLOYED.includes(idOf(each)));
    expect(edges(two.resources)).toEqual(edges(one.resources));
  });
});

describe("a second edge", () => {
  const of = (name: string) => two.resources.find((each) => each.name === name);

  test("has its own box, images, certificates and proof, and what is on the box is called as on the first", () => {
    const added = two.ids.filter((id) => !one.ids.includes(id));
    expect(added).toEqual(
      DEPLOYED.map((id) =>
        id.replace("delivering", "delivering-fra").replace(/ edge(?=-|$)/, " fra"),
      ).toSorted(),
    );
    expect(of("fra-box")?.inputs["host"]).toBe(FRA.dockerHost);
    expect(of("fra-data")).toMatchObject({
      protect: true,
      inputs: { name: "tailwart-golden-edge-data" },
    });
    expect(of("fra")?.inputs).toMatchObject({ wanAddress: FRA.wanAddress, tag: "tag:reverse-proxy" });
    const { edge } = JSON.parse(String(of("delivering-fra-checks")?.inputs["stdin"])) as { edge: object };
    expect(edge).toMatchObject({ dockerHost: FRA.dockerHost, container: "tailwart-golden-edge" });
  });

  test("is touched once mail's way through the first is proved, and its image is there long before", () => {
    const at = (id: string) => two.done.indexOf(id);
    const proved = at("command:local:Command delivering-checks");
    for (const name of ["Volume fra-config", "Volume fra-data", "Container fra-caddy", "Command fra-reload"])
      expect(
        two.done.findIndex((id) => id.endsWith(name)),
        name,
      ).toBeGreaterThan(proved);
    expect(at("command:local:Command delivering-fra-checks")).toBeGreaterThan(
      at("command:local:Command fra-reload"),
    );
    expect(at("docker:index/remoteImage:RemoteImage fra-images-edge")).toBeLessThan(
      at("docker:index/container:Container mail-anchor"),
    );
  });
});
