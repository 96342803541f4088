import { homedir } from "node:os";
import { join } from "node:path";

import { UserError } from "../lib/errors.ts";
import { cacheRoot } from "../tools/cache.mjs";

/** The lab's machines, each a network namespace, with its address on the lab's internet. */
export const ADDRESSES = {
  /** The internet itself: bridge, DNS, ACME server, registry, headscale, adapter. */
  net: "203.0.113.1",
  /** The VPS whose provider blocks outbound SMTP: a Docker host. */
  kvm: "203.0.113.10",
  /** The box that the internet reaches: a Docker host. */
  edge: "203.0.113.20",
  /** Another of these, which the stack has where a fault or a test gives it two edges. */
  edge2: "203.0.113.21",
  /** Postgres. */
  db: "203.0.113.30",
  /** The smarthost. */
  mail: "203.0.113.40",
  /** Somebody out there. */
  outside: "203.0.113.50",
  /** Where Pulumi runs. */
  operator: "203.0.113.60",
} as const;

/** Addresses of `net` beside its own, for what stands in for services out of reach (lab/fakes/). */
export const FAKE_ADDRESSES = { spaceship: "203.0.113.2", certspotter: "203.0.113.3" } as const;

/** Another: the second DNS server of the mail domain. */
export const SECOND_DNS = "203.0.113.4";

export type MachineName = keyof typeof ADDRESSES;
export type BoxName = "kvm" | "edge" | "edge2";

export const MACHINES = Object.keys(ADDRESSES) as MachineName[];
export const BOXES: readonly BoxName[] = ["kvm", "edge", "edge2"];

/** A machine: a network namespace and the processes in it. */
export interface Machine {
  name: MachineName;
  /** Name below /run/netns. */
  netns: string;
  address: string;
  /** State that is the machine's own. */
  dir: string;
  /** The lab's. */
  logDir: string;
  /** Whether it runs a Debian of its own; without, it shares the caller's files. */
  ownDisk: boolean;
}

/** A machine that runs a Docker daemon. */
export interface Box extends Machine {
  name: BoxName;
  socket: string;
  /** `--host` of the docker command, for who is on the lab's own machine. */
  dockerHost: string;
  /** The same as the operator has it: by the name that her ~/.ssh/config gives the host. */
  sshHost: string;
  /** Docker's own bridge. */
  bip: string;
  /** Where Docker takes the networks of containers from. */
  addressPool: string;
  /** Parent of all its containers' cgroups. */
  cgroup: string;
}

export interface Layout {
  name: string;
  cacheDir: string;
  stateDir: string;
  logDir: string;
  /** Generated passwords, one JSON object, mode 0600. */
  secretsFile: string;
  /** Account name → password, written by `npm run up` for people and scripts (mode 0600). */
  accountsFile: string;
  machines: Record<MachineName, Machine>;
  boxes: Record<BoxName, Box>;
  dns: string;
  registry: string;
  /** The same images for those who log in; runs in tests only. */
  loginRegistry: string;
  tailnet: { stateDir: string; address: string; netns: string; domain: string };
  mailDomain: string;
  mailHost: string;
}

/**
 * Each namespace is the lab's own, so every lab may use the same addresses (TEST-NET-3, RFC 5737).
 */
export const PREFIX_LENGTH = 24;
/**
 * headscale's and the adapter's address. Private, because over plain http tailscaled stays with
 * http only for a private literal: with another it tries :443 as well, and after a restart nothing
 * else (tailscale.com control/controlhttp).
 */
export const CONTROL_ADDRESS = "10.203.113.1";

const NAME = /^[a-z][a-z0-9-]{0,9}$/;

/**
 * Where everything of a lab is; a pure function of its name.
 *
 * @param name 1 to 10 of a-z, 0-9 and dash, a letter first
 * @throws UserError for another name
 * @example layoutOf("lab").machines.kvm.netns === "lab-kvm"
 */
export function layoutOf(name: string, env: NodeJS.ProcessEnv = process.env): Layout {
  if (!NAME.test(name))
    throw new UserError(`"${name}" is no name for a lab`, {
      path: "--name",
      hint: "write 1 to 10 of a-z, 0-9 and dash, beginning with a letter: --name lab",
    });
  const stateRoot = env["TAILWART_STATE"] || join(homedir(), ".local", "state", "tailwart");
  const stateDir = join(stateRoot, name);
  const logDir = join(stateDir, "log");
  const machine = (machineName: MachineName): Machine => ({
    name: machineName,
    netns: `${name}-${machineName}`,
    address: ADDRESSES[machineName],
    dir: join(stateDir, machineName),
    logDir,
    ownDisk: (BOXES as readonly MachineName[]).includes(machineName),
  });
  const box = (boxName: BoxName, bip: string, addressPool: string): Box => {
    const base = machine(boxName);
    const socket = join(base.dir, "docker.sock");
    return {
      ...base,
      name: boxName,
      socket,
      dockerHost: `unix://${socket}`,
      sshHost: `ssh://root@${boxName}`,
      bip,
      addressPool,
      cgroup: `/tailwart-${name}-${boxName}`,
    };
  };
  const boxes = {
    kvm: box("kvm", "172.31.10.1/24", "172.30.0.0/17"),
    edge: box("edge", "172.31.20.1/24", "172.30.128.0/17"),
    edge2: box("edge2", "172.31.30.1/24", "172.29.0.0/17"),
  };
  const machines = Object.fromEntries(MACHINES.map((each) => [each, machine(each)])) as Layout["machines"];
  return {
    name,
    cacheDir: cacheRoot(env),
    stateDir,
    logDir,
    secretsFile: join(stateDir, "secrets.json"),
    accountsFile: join(stateDir, "accounts.json"),
    machines: { ...machines, ...boxes },
    boxes,
    dns: ADDRESSES.net,
    registry: `${ADDRESSES.net}:5000`,
    loginRegistry: `${ADDRESSES.net}:5001`,
    tailnet: {
      stateDir: join(stateDir, "tailnet"),
      address: CONTROL_ADDRESS,
      netns: machines.net.netns,
      domain: "tail.test",
    },
    mailDomain: "lab.test",
    mailHost: "mail.lab.test",
  };
}

/** ` -- --name NAME` for a lab that needs naming, to end a command that somebody shall run. */
export const naming = (name: string) => (name === "lab" ? "" : ` -- --name ${name}`);

/**
 * The lab runs on Linux as root only; the program itself also deploys from macOS. @throws UserError
 * elsewhere
 */
export function requireLabMachine(): void {
  if (process.platform !== "linux") {
    throw new UserError("the lab runs on Linux only", {
      hint: "run here: npm run review (what a change does), npm run bench -- policies (what the pack costs); `up` runs in a Linux machine, such as a virtual one with Debian 12",
    });
  }
  if (process.getuid?.() !== 0) {
    throw new UserError("the lab needs root: it makes network namespaces and Docker daemons of its own", {
      hint: "run: sudo npm run up; without root: npm run review",
    });
  }
}
