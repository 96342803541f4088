// docs/topology.svg: who connects to whom, drawn from the flow table that the grants, the policy's
// tests and the edge's listeners are made from (decision 1).
import { readFileSync } from "node:fs";
import { parse } from "yaml";

import { componentArgs } from "../../config/component-args.ts";
import { configSchema } from "../../config/schema.ts";
import { arrow, box, type Box, svg, text } from "./svg.ts";

const NODES = { x: 720, width: 250, height: 56 };

/**
 * The picture of a stack.
 *
 * @param stackFile a stack's config file, such as Pulumi.prod.yaml
 */
export function topology(stackFile: string): string {
  const { config } = parse(readFileSync(stackFile, "utf8")) as { config: Record<string, unknown> };
  const values = Object.entries(config).map(([key, value]) => [key.replace("tailwart:", ""), value] as const);
  const parsed = configSchema.parse(Object.fromEntries(values.filter(([key]) => key in configSchema.shape)));
  const { flows } = componentArgs(parsed);
  const { stalwart, edge, ...roles } = parsed.tailnet.tags;

  const ports = (from: string, to: string) =>
    flows.filter((flow) => flow.from === from && flow.to === to).map(({ port }) => port);
  const peers = Object.values(roles).filter((tag) => ports(stalwart, tag).length > 0);
  const operators = [...new Set(flows.map(({ from }) => from))].filter(
    (from) => ports(from, stalwart).length,
  );
  const people = operators.filter((from) => from !== edge);

  const caddy: Box = { x: 230, y: 40, width: 280, height: 84 };
  const vps: Box = { x: 230, y: 210, width: 390, height: 150 };
  const shared: Box = { x: 244, y: 240, width: 362, height: 106 };
  const served = ports(edge, stalwart).join(" ");
  const nodes = [...peers, ...people].map((name, index) => ({
    name,
    ports: peers.includes(name) ? ports(stalwart, name) : ports(name, stalwart),
    box: { ...NODES, y: 160 + index * 84 },
  }));

  return svg({ width: 990, height: Math.max(400, 160 + nodes.length * 84) }, "The mail stack's connections", [
    box({ x: 20, y: 54, width: 90, height: 56 }, ["internet"]),
    arrow([110, 82], [caddy.x, 82], [served.replace(/^((?:\d+ ){3})/, "$1\n")]),
    box(caddy, [
      "edge box",
      edge,
      "Caddy layer4: mail ports with PROXY v2,",
      ":443 by SNI, TLS not terminated",
    ]),
    arrow([370, 124], [370, vps.y], ["over the tailnet (WireGuard):", `tcp ${served}`], "beside"),
    box(vps, ["KVM VPS"], "plain"),
    box(shared, ["one network namespace, held by the anchor"], "dashed"),
    box({ x: 256, y: 272, width: 210, height: 64 }, [
      "ts-stalwart",
      stalwart,
      "healthy: tailnet and Postgres",
    ]),
    box({ x: 478, y: 272, width: 116, height: 64 }, ["Stalwart", "starts only then"]),
    ...nodes.flatMap(({ name, ports, box: at }) => {
      const middle = at.y + at.height / 2;
      const [left, right] = [
        [vps.x + vps.width, Math.min(Math.max(middle, 230), 345)],
        [at.x, middle],
      ] as const;
      const label = [`tcp ${ports.join(" ")}`];
      return people.includes(name)
        ? [box(at, [name, "operators"]), arrow(right, left, label)]
        : [
            box(at, [name, flows.find(({ to }) => to === name)?.why.replace(/ \(.*/, "") ?? ""]),
            arrow(left, right, label),
          ];
    }),
    text(
      20,
      236,
      ["The provider blocks", "outbound SMTP from", "the VPS: mail leaves", "by the smarthost."],
      "note",
    ),
  ]);
}
