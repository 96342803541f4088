import { Command } from "@pulumi/command/local/command.js";
import { Container } from "@pulumi/docker/container.js";
import { Volume } from "@pulumi/docker/volume.js";
import * as pulumi from "@pulumi/pulumi";

import { caddyConfig, type EdgeInputs } from "../lib/caddy/config.ts";
import { edgePorts, PORTS_ARE_FREE } from "../lib/caddy/ports.ts";
import { CONFIG_FOLDER, EDGE_START, RELOAD_SCRIPT } from "../lib/caddy/reload.ts";
import { takingOver } from "./leftovers.ts";
import { FIXED_NAME, hardened, nameOnHost } from "./shared.ts";

/** Names and ports only: nothing here is Caddy's, so that another engine could take its place. */
export interface CaddyEdgeArgs extends EdgeInputs {
  image: string;
  dockerHost: string;
  /** Tag of the box's own node on the tailnet: what the grants call it. */
  tag: string;
  /**
   * Where the internet reaches the edge: stated for policies, which compare Stalwart's ban
   * allow-list with it (lesson 3).
   */
  wanAddress: string;
}

/** The box that the internet reaches: mail ports with PROXY protocol, :443 by SNI. */
export class CaddyEdge extends pulumi.ComponentResource {
  readonly container: Container;
  /** Done when the config is live. */
  readonly config: Command;

  constructor(name: string, args: CaddyEdgeArgs, opts: pulumi.ComponentResourceOptions) {
    super("tailwart:mail:CaddyEdge", name, args, opts);
    const parent = { parent: this };
    const config = new Volume(
      `${name}-config`,
      { name: nameOnHost("edge-config") },
      { ...parent, ...FIXED_NAME },
    );
    // Protected: it holds certificates and the ACME account, and new ones are rationed.
    const data = new Volume(
      `${name}-data`,
      { name: nameOnHost("edge-data") },
      { ...parent, ...FIXED_NAME, protect: true },
    );

    this.container = new Container(
      `${name}-caddy`,
      {
        ...hardened("edge", { adds: ["CAP_NET_BIND_SERVICE"] }),
        image: args.image,
        entrypoints: EDGE_START.slice(0, 2),
        command: EDGE_START.slice(2),
        // Published ports would show the bridge's gateway as the client of every IPv6 connection.
        // With the host's network and no `dns` Docker gives the container the host's own
        // resolv.conf, which answers public and MagicDNS names (moby libnetwork
        // sandbox_dns_unix.go; 100.100.100.100 alone is SERVFAIL for the public ones on many
        // hosts).
        networkMode: "host",
        readOnly: true,
        tmpfs: { "/run": "", "/tmp": "" },
        envs: ["XDG_CONFIG_HOME=/run", "XDG_DATA_HOME=/data"],
        volumes: [
          { volumeName: config.name, containerPath: CONFIG_FOLDER },
          { volumeName: data.name, containerPath: "/data" },
        ],
      },
      { ...parent, ...takingOver(args.dockerHost) },
    );

    this.config = new Command(
      `${name}-reload`,
      {
        create: `${PORTS_ARE_FREE}\ndocker exec -i "$CONTAINER" sh -c "$SCRIPT"`,
        environment: {
          DOCKER_HOST: args.dockerHost,
          CONTAINER: this.container.name,
          IMAGE: args.image,
          PORTS: edgePorts(args).join(" "),
          SCRIPT: RELOAD_SCRIPT,
        },
        stdin: `${JSON.stringify(caddyConfig(args), null, 2)}\n`,
        // A new container has the config already if its volume is the old one; a new volume has
        // nothing.
        triggers: [this.container.id],
      },
      parent,
    );
    this.registerOutputs({});
  }
}
