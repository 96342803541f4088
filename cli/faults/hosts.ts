/** What befalls the hosts, their Docker and the edge. */
import { restartDocker } from "../../lab/docker-hosts.ts";
import { up } from "../../lab/lab.ts";
import { runIn, stopMachine } from "../../lab/machine.ts";
import { addClientAddresses } from "../../lab/mail/client-addresses.ts";
import { type Idle, startIdle } from "../../lab/mail/start-idle.ts";
import type { MachineName } from "../../lab/topology.ts";
import { ADMIN_SOCKET } from "../../lib/caddy/config.ts";
import { CONFIG_FILE } from "../../lib/caddy/reload.ts";
import {
  DATABASE_AWAY,
  EDGE_NAMELESS,
  EDGE_STARTS,
  SIDECAR_STARTS,
  STALWART_STARTS,
  WATCH_STARTS_OVER,
  WAY_LOST,
} from "./allowed.ts";
import { type Fault, SESSIONS } from "./fault.ts";
import type { Allowance } from "./logs.ts";
import { AT_LEAST_ONCE } from "./server.ts";

/** A power cut of a machine, and its power back after 5 s: what does not run is started. */
const powerCycled = (name: MachineName, what: string, more: Partial<Fault>): Fault => ({
  name: `${name}-power-cycled`,
  what: `${what} loses its power for 5 s`,
  inject: ({ layout }) => stopMachine(layout.machines[name]),
  heal: async ({ layout }) => void (await up(layout.name, { log: () => undefined })),
  lasts: 5,
  spans: 30,
  duplicates: AT_LEAST_ONCE,
  patience: 1200,
  ...more,
});

/** All that runs on the KVM host starts anew, in a new namespace. */
const KVM_STARTS: readonly Allowance[] = [
  ...SIDECAR_STARTS,
  ...STALWART_STARTS,
  {
    of: "stalwart",
    line: /eth0 is gone, so the anchor has ended|Stalwart did not end within 2 s of SIGTERM/,
    why: "the anchor is restarted, too, and a server without a network is not waited for",
  },
];

const CROWD = 9000;

/** From client addresses of their own, at IMAP: of SMTP Stalwart takes five a second of one. */
function crowd(): Pick<Fault, "inject" | "heal"> {
  let idle: Idle | undefined;
  return {
    async inject({ layout }) {
      const addresses = (await addClientAddresses(layout, 40)).slice(SESSIONS);
      idle = await startIdle(layout, {
        host: layout.machines.edge.address,
        ports: [143, 993],
        addresses,
        count: CROWD,
      });
      if (idle.open < CROWD) throw new Error(`${idle.open} of ${CROWD} connections stand`);
    },
    heal: async () => await idle?.end(),
  };
}

const RELOAD = `caddy reload --force --config ${CONFIG_FILE} --address ${ADMIN_SOCKET}`;

export const HOSTS: readonly Fault[] = [
  {
    name: "anchor-killed",
    what: "the container that holds the network namespace is killed with -9",
    async inject(world) {
      const format = ["--format", "{{.State.Pid}}"];
      const { stdout } = await world.docker("kvm", ["inspect", ...format, world.container("anchor")]);
      await runIn(world.layout.machines.kvm, ["kill", "-KILL", stdout.trim()]);
    },
    allowed: KVM_STARTS,
    duplicates: AT_LEAST_ONCE,
  },
  {
    name: "edge-docker-restarted",
    what: "dockerd of the edge is restarted, and Caddy with it",
    inject: ({ layout }) => restartDocker(layout, layout.boxes.edge),
    allowed: EDGE_STARTS,
  },
  {
    name: "edge-restarted",
    what: "the edge's container is restarted",
    inject: async (world) =>
      void (await world.docker("edge", ["restart", "--time", "10", world.container("edge")])),
    allowed: EDGE_STARTS,
  },
  {
    name: "kvm-docker-restarted",
    what: "dockerd of the KVM host is restarted, and all containers with it",
    inject: ({ layout }) => restartDocker(layout, layout.boxes.kvm),
    allowed: KVM_STARTS,
    duplicates: AT_LEAST_ONCE,
    patience: 900,
  },
  {
    name: "edge-reloaded",
    what: "Caddy reloads its config 50 times",
    async inject(world) {
      const script = `for n in $(seq 50); do ${RELOAD} || exit 1; done`;
      await world.docker("edge", ["exec", world.container("edge"), "sh", "-c", script], { timeout: 120_000 });
    },
    allowed: EDGE_STARTS,
    spans: 30,
  },
  {
    name: "edge-crowded",
    what: `${CROWD} connections that say nothing stand at the edge for 20 s`,
    ...crowd(),
    lasts: 20,
    spans: 40,
  },
  powerCycled("kvm", "the KVM host", { allowed: KVM_STARTS }),
  powerCycled("edge", "the edge", { allowed: [...EDGE_STARTS, ...EDGE_NAMELESS] }),
  powerCycled("db", "the machine of Postgres", {
    allowed: [...DATABASE_AWAY, ...STALWART_STARTS, ...WATCH_STARTS_OVER, ...WAY_LOST],
  }),
  powerCycled("mail", "the machine of the smarthost", { scheduled: true, allowed: WAY_LOST }),
];
