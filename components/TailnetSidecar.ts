import { Command } from "@pulumi/command/local/command.js";
import { Container } from "@pulumi/docker/container.js";
import { Network } from "@pulumi/docker/network.js";
import { Volume } from "@pulumi/docker/volume.js";
import * as pulumi from "@pulumi/pulumi";

import type { LeftOut } from "../lib/guards.ts";
import { HEALTH_ADDRESS, sidecarHealthTest } from "../lib/tailnet/health.ts";
import { SIDECAR_START } from "../lib/tailnet/sidecar.ts";
import { LOGIN_KEY_FILE, LOGIN_KEY_LABEL } from "../lib/tailnet/login-key.ts";
import type { OwnVariable } from "../lib/tailnet/own-variables.ts";
import type { NodeOrder } from "../verify/devices.ts";
import { apiEnvironment } from "./api-environment.ts";
import { takingOver } from "./leftovers.ts";
import { FIXED_NAME, hardened, nameOnHost, stackLabels } from "./shared.ts";
import { TailnetIdentity } from "./TailnetIdentity.ts";

export interface TailnetSidecarArgs {
  /** Image with tailscaled, containerboot, wget, nc and iptables; pinned by digest. */
  image: string;
  /**
   * Image of the anchor, with `sleep`: another one than the sidecar's, which is replaced more
   * often.
   */
  anchorImage: string;
  dockerHost: string;
  /** Machine name on the tailnet. */
  hostname: string;
  tag: string;
  /** persistent: the address stays. ephemeral: a new node at each start (lesson 6). */
  identity: "persistent" | "ephemeral";
  /** Coordination server other than Tailscale's own. */
  controlUrl?: string | undefined;
  /** Further TS_* environment. */
  env: Record<string, string>;
  /** What the healthcheck requires besides tailscaled (lesson 1). */
  postgres: { host: string; port: number };
  /** Only a lab leaves guards out. */
  withoutGuards?: LeftOut;
}

const STATE_FOLDER = "/var/lib/tailscale";

/**
 * The tailnet node that Stalwart lives behind: an anchor that holds the network namespace, and the
 * sidecar that joins it by id (decision 4). A restarted sidecar leaves Stalwart's namespace alive
 * (lesson 13).
 */
export class TailnetSidecar extends pulumi.ComponentResource {
  /** networkMode of whoever shares the namespace: `container:<the anchor's id>`. */
  readonly networkMode: pulumi.Output<string>;
  readonly container: Container;
  readonly anchor: Container;
  /** Done when the node has its MagicDNS name, and not that of a second one. */
  readonly name: Command;

  constructor(name: string, args: TailnetSidecarArgs, opts: pulumi.ComponentResourceOptions) {
    super("tailwart:mail:TailnetSidecar", name, args, opts);
    const leftOut = args.withoutGuards ?? {};
    const parent = { parent: this };
    const named = { ...parent, ...takingOver(args.dockerHost) };

    // A bridge of its own, closed to its neighbours. No IPv6: see lessons 8 and 9.
    const network = new Network(
      `${name}-network`,
      {
        name: nameOnHost("mail"),
        driver: "bridge",
        ipv6: false,
        options: { "com.docker.network.bridge.enable_icc": "false" },
        labels: stackLabels(),
      },
      // A label alone is no reason to make the namespace, and all that is in it, anew.
      { ...named, ignoreChanges: ["labels"] },
    );

    // A network namespace of one's own, for others to join.
    const ownNamespace = {
      networkMode: network.name,
      networksAdvanced: [{ name: network.name }],
      hostname: args.hostname,
      sysctls: {
        // A blackholed Postgres must fail in seconds, not after the kernel's quarter of an hour.
        ...(!leftOut[16] && { "net.ipv4.tcp_retries2": "6" }),
        "net.ipv4.tcp_syn_retries": "3",
        "net.ipv4.ip_unprivileged_port_start": "0",
      },
    };
    this.anchor = new Container(
      `${name}-anchor`,
      {
        ...hardened("anchor"),
        image: args.anchorImage,
        entrypoints: ["sleep"],
        command: ["infinity"],
        stopSignal: "SIGKILL", // sleep as PID 1 ignores SIGTERM, and there is nothing to save.
        ...ownNamespace,
      },
      named,
    );
    const ofAnchor = pulumi.interpolate`container:${this.anchor.id}`;

    const identity = new TailnetIdentity(
      `${name}-identity`,
      { identity: args.identity, tag: args.tag },
      parent,
    );
    const state =
      args.identity === "persistent"
        ? // Protected: without it the node logs in as another one, with another address.
          new Volume(
            `${name}-state`,
            { name: nameOnHost("tailscale") },
            { ...parent, ...FIXED_NAME, protect: true },
          )
        : undefined;

    const hardenedSidecar = hardened("sidecar", {
      adds: ["CAP_NET_ADMIN", "CAP_NET_RAW"],
      noNewPrivileges: false,
    });
    this.container = new Container(
      `${name}-sidecar`,
      {
        ...hardenedSidecar,
        image: args.image,
        entrypoints: ["/bin/sh", "-c"],
        command: [SIDECAR_START],
        ...(leftOut[13] ? ownNamespace : { networkMode: ofAnchor }),
        // Stopped with time to log out: a killed ephemeral node lingers, and its successor is
        // called <name>-1.
        stopTimeout: 15,
        destroyGraceSeconds: 15,
        devices: [{ hostPath: "/dev/net/tun", containerPath: "/dev/net/tun", permissions: "rwm" }],
        envs: sidecarEnv(args, identity.advertiseTags),
        uploads: [{ file: LOGIN_KEY_FILE, content: identity.authKey, permissions: "0400" }],
        ...(state ? { volumes: [{ volumeName: state.name, containerPath: STATE_FOLDER }] } : {}),
        healthcheck: {
          tests: sidecarHealthTest(args.postgres.host, args.postgres.port, !leftOut[1]),
          interval: "5s",
          timeout: "5s",
          retries: 3,
          startPeriod: "30s",
        },
        labels: [
          ...hardenedSidecar.labels,
          ...(identity.keyId ? [{ label: LOGIN_KEY_LABEL, value: identity.keyId }] : []),
        ],
      },
      named,
    );
    this.networkMode = leftOut[13] ? pulumi.interpolate`container:${this.container.id}` : ofAnchor;
    this.name = new Command(
      `${name}-name`,
      {
        create: "node verify/claim-name.ts",
        environment: apiEnvironment(),
        stdin: this.container.name.apply((container) =>
          JSON.stringify({
            hostname: args.hostname,
            tag: args.tag,
            dockerHost: args.dockerHost,
            container,
          } satisfies NodeOrder),
        ),
        triggers: [this.container.id],
      },
      parent,
    );
    this.registerOutputs({ networkMode: this.networkMode });
  }
}

/** containerboot's environment (tailscale.com/cmd/containerboot, settings.go). */
function sidecarEnv(args: TailnetSidecarArgs, advertiseTags: boolean): string[] {
  const extra = [
    ...(args.controlUrl ? [`--login-server=${args.controlUrl}`] : []),
    ...(advertiseTags ? [`--advertise-tags=${args.tag}`] : []),
    // With kept state a changed flag would otherwise be refused.
    "--reset",
  ];
  const own: Partial<Record<OwnVariable, string>> = {
    TS_ACCEPT_DNS: "true",
    TS_AUTHKEY: `file:${LOGIN_KEY_FILE}`,
    TS_AUTH_ONCE: "true",
    // containerboot does not notice that tailscaled was killed while it starts; it waits a minute.
    TS_BOOT_TIMEOUT: "20s",
    TS_ENABLE_HEALTH_CHECK: "true",
    TS_EXTRA_ARGS: extra.join(" "),
    TS_HOSTNAME: args.hostname,
    TS_LOCAL_ADDR_PORT: HEALTH_ADDRESS,
    TS_USERSPACE: "false",
    ...(args.identity === "persistent" ? { TS_STATE_DIR: STATE_FOLDER } : {}),
  };
  return Object.entries({ ...args.env, ...own }).map(([key, value]) => `${key}=${value}`);
}
