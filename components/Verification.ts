import { Command } from "@pulumi/command/local/command.js";
import * as pulumi from "@pulumi/pulumi";

import type { CaddyEdge } from "./CaddyEdge.ts";
import type { Stalwart } from "./Stalwart.ts";
import type { TailnetSidecar } from "./TailnetSidecar.ts";
import type { VerifyTarget } from "../verify/target.ts";
import type { Servers } from "../lib/tailnet/flows.ts";
import type { EdgeNames } from "../verify/names.ts";

/** What is looked at, and where from. */
export interface VerificationArgs extends Servers {
  /** Ids of the checks to run, in this order, each behind what it needs. */
  checks: ("sidecar" | "stores" | "stalwart" | "relay" | "edge")[];
  /** The node that all of it is seen from, such as `stalwart (tag:stalwart)`. */
  node: string;
  kvmDockerHost: string;
  sidecar: TailnetSidecar;
  stalwart: Stalwart;
  /** The edge that mail is to come through. */
  edge?: { caddy: CaddyEdge; dockerHost: string; names: EdgeNames };
}

/**
 * Fails the deploy, naming the cause, when what was deployed does not work (decision 6). It runs
 * again when one of its triggers has changed, or when it failed the time before; `npm run doctor`
 * asks the same and more at any time.
 */
export class Verification extends pulumi.ComponentResource {
  constructor(name: string, args: VerificationArgs, opts: pulumi.ComponentResourceOptions) {
    const { checks, kvmDockerHost, sidecar, stalwart, edge, ...reached } = args;
    super("tailwart:mail:Verification", name, { checks, ...reached }, opts);
    const target = pulumi
      .all([sidecar.container.name, stalwart.container.name, edge?.caddy.container.name])
      .apply(([sidecarName, stalwartName, container]) => {
        const where: VerifyTarget = {
          kvm: { dockerHost: kvmDockerHost, sidecar: sidecarName, stalwart: stalwartName },
          ...(edge && container
            ? { edge: { dockerHost: edge.dockerHost, container, names: edge.names } }
            : {}),
          ...reached,
        };
        return JSON.stringify(where);
      });
    new Command(
      `${name}-checks`,
      {
        create: "node verify/main.ts $CHECKS",
        environment: { CHECKS: checks.join(" ") },
        stdin: target,
        triggers: [
          sidecar.container.id,
          stalwart.container.id,
          ...(edge ? [edge.caddy.container.id, edge.caddy.config.stdin] : []),
        ],
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
