import { Command } from "@pulumi/command/local/command.js";
import { Container } from "@pulumi/docker/container.js";
import { Volume } from "@pulumi/docker/volume.js";
import * as pulumi from "@pulumi/pulumi";

import { caddyConfig, type EdgeSite } from "../lib/caddy/config.ts";
import { CONFIG_FOLDER, EDGE_START, RELOAD_SCRIPT } from "../lib/caddy/reload.ts";
import type { MailService } from "../lib/services.ts";
import { FIXED_NAME, LOGGING, nameOnHost, roleLabels } from "./shared.ts";

/** Names and ports only: nothing here is Caddy's, so that another engine could take its place. */
export interface CaddyEdgeArgs {
  image: string;
  dockerHost: string;
  /** Tag of the box's own node on the tailnet: what the grants call it. */
  tag: string;
  services: MailService[];
  /** Stalwart's MagicDNS name. */
  upstreamHost: string;
  /** Names whose TLS is passed through (lesson 5). */
  passthrough: string[];
  sites: EdgeSite[];
  certificates: "acme" | "internal";
  /** Where the internet reaches the edge: stated for policies, which compare Stalwart's ban allow-list with it (lesson 3). */
  wanAddress: string;
}

/** Tailscale's own resolver, which answers MagicDNS names on every node. */
const MAGIC_DNS = "100.100.100.100";

/** The box that the internet reaches: mail ports with PROXY protocol, :443 by SNI. */
export class CaddyEdge extends pulumi.ComponentResource {
  readonly container: Container;
  /** Done when the config is live. */
  readonly config: Command;

  constructor(name: string, args: CaddyEdgeArgs, opts: pulumi.ComponentResourceOptions) {
    super("tailwart:mail:CaddyEdge", name, args, opts);
    const parent = { parent: this };
    const named = { ...parent, ...FIXED_NAME };
    const config = new Volume(`${name}-config`, { name: nameOnHost("edge-config") }, named);
    // Protected: it holds certificates and the ACME account, and new ones are rationed.
    const data = new Volume(`${name}-data`, { name: nameOnHost("edge-data") }, { ...named, protect: true });

    this.container = new Container(
      `${name}-caddy`,
      {
        ...LOGGING,
        name: nameOnHost("edge"),
        image: args.image,
        entrypoints: EDGE_START.slice(0, 2),
        command: EDGE_START.slice(2),
        restart: "always",
        // Published ports would show the bridge's gateway as the client of every IPv6 connection.
        networkMode: "host",
        dns: [MAGIC_DNS],
        readOnly: true,
        tmpfs: { "/run": "", "/tmp": "" },
        capabilities: { drops: ["ALL"], adds: ["CAP_NET_BIND_SERVICE"] },
        securityOpts: ["no-new-privileges:true"],
        envs: ["XDG_CONFIG_HOME=/run", "XDG_DATA_HOME=/data"],
        volumes: [
          { volumeName: config.name, containerPath: CONFIG_FOLDER },
          { volumeName: data.name, containerPath: "/data" },
        ],
        healthcheck: { tests: ["NONE"] },
        labels: roleLabels("edge"),
      },
      named,
    );

    this.config = new Command(
      `${name}-reload`,
      {
        create: 'docker exec -i "$CONTAINER" sh -c "$SCRIPT"',
        environment: { DOCKER_HOST: args.dockerHost, CONTAINER: this.container.name, SCRIPT: RELOAD_SCRIPT },
        stdin: `${JSON.stringify(caddyConfig(args), null, 2)}\n`,
        // A new container has the config already if its volume is the old one; a new volume has nothing.
        triggers: [this.container.id],
      },
      parent,
    );
    this.registerOutputs({});
  }
}
