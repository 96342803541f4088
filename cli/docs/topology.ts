// docs/topology.svg: who connects to whom, drawn from the flow table that the grants, the policy's
// tests and the edge's listeners are made from (decision 1).
import { readFileSync } from "node:fs";
import { parse } from "yaml";

import { componentArgs } from "../../config/component-args.ts";
import { stackFileConfig } from "../../config/stack-file.ts";
import type { Flow } from "../../lib/tailnet/flows.ts";
import { arrow, box, type Box, svg, text } from "./svg.ts";

const NODES = { x: 720, width: 250, height: 56 };
const FIRST_NODE = 160;
const NODE_STEP = 84;

/**
 * The picture of a stack.
 *
 * @param stackFile a stack's config file, such as Pulumi.prod.yaml
 */
export function topology(stackFile: string): string {
  const { config } = parse(readFileSync(stackFile, "utf8")) as { config: Record<string, unknown> };
  // The file holds no secret yet, and the picture needs none.
  const stack = stackFileConfig({ ...config, "tailwart:postgresPassword": { secure: "" } });
  const { flows } = componentArgs(stack);
  const { stalwart, edge } = stack.tailnet.tags;

  const portsOf = (of: readonly Flow[]) => of.map(({ port }) => port).join(" ");
  const served = portsOf(flows.filter(({ from }) => from === edge));
  const peers = Map.groupBy(
    flows.filter(({ from }) => from === stalwart),
    ({ to }) => to,
  );
  const people = Map.groupBy(
    flows.filter(({ from, to }) => to === stalwart && from !== edge),
    ({ from }) => from,
  );
  // What Stalwart connects to, then who connects to Stalwart, from top to bottom.
  const nodes = [
    ...[...peers].map(([name, of]) => ({
      name,
      of,
      note: of[0]?.why.replace(/ \(.*/, "") ?? "",
      asks: false,
    })),
    ...[...people].map(([name, of]) => ({ name, of, note: "operators", asks: true })),
  ];

  const caddy: Box = { x: 230, y: 40, width: 280, height: 84 };
  const vps: Box = { x: 230, y: 210, width: 390, height: 150 };
  const shared: Box = { x: 244, y: 240, width: 362, height: 106 };

  return svg(
    { width: 990, height: Math.max(400, FIRST_NODE + nodes.length * NODE_STEP) },
    "The mail stack's connections",
    [
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
      ...nodes.flatMap(({ name, of, note, asks }, index) => {
        const at = { ...NODES, y: FIRST_NODE + index * NODE_STEP };
        const middle = at.y + at.height / 2;
        const atVps = [vps.x + vps.width, Math.min(Math.max(middle, 230), 345)] as const;
        const atNode = [at.x, middle] as const;
        const ends = asks ? ([atNode, atVps] as const) : ([atVps, atNode] as const);
        return [box(at, [name, note]), arrow(...ends, [`tcp ${portsOf(of)}`])];
      }),
      text(
        20,
        236,
        ["The provider blocks", "outbound SMTP from", "the VPS: mail leaves", "by the smarthost."],
        "note",
      ),
    ],
  );
}
