import { existsSync } from "node:fs";

import { docker, ping } from "./docker-hosts.ts";
import { labFacts, ACCOUNTS } from "./facts.ts";
import { notedImages } from "./images/noted.ts";
import { BOXES, MACHINES, naming, type Box, type Layout } from "./topology.ts";
import { holderOf } from "./machine.ts";

interface ContainerInfo {
  name: string;
  role: string | undefined;
  image: string;
  /** As `docker ps` has it: "Up 3 minutes (healthy)". */
  status: string;
}

/** What `npm run lab -- info` tells. Names files with secrets, holds none. */
export interface LabInfo {
  name: string;
  state: "up" | "partly up" | "down";
  machines: Record<string, { netns: string; address: string; up: boolean }>;
  dockerHosts: Record<string, string>;
  containers: Record<string, ContainerInfo[]>;
  networks: Record<string, string[]>;
  endpoints: Record<string, string>;
  images: Record<string, string>;
  mail: { domain: string; host: string; accounts: string[] };
  files: Record<string, string>;
}

/** Looks at a lab as it is; changes nothing. */
export async function inspect(layout: Layout): Promise<LabInfo> {
  const machines = Object.fromEntries(
    MACHINES.map((name) => {
      const machine = layout.machines[name];
      return [name, { netns: machine.netns, address: machine.address, up: holderOf(machine) !== undefined }];
    }),
  );
  const boxes = await Promise.all(BOXES.map((name) => inspectBox(layout.boxes[name])));
  const running = Object.values(machines).filter((machine) => machine.up).length;
  const complete = running === MACHINES.length && boxes.every(Boolean) && notedImages(layout) !== undefined;
  const facts = notedImages(layout) ? labFacts(layout) : undefined;
  const perBox = <T>(pick: (box: BoxInfo) => T[]) =>
    Object.fromEntries(BOXES.map((name, index) => [name, boxes[index] ? pick(boxes[index]) : []]));
  return {
    name: layout.name,
    state: complete ? "up" : running > 0 ? "partly up" : "down",
    machines,
    dockerHosts: Object.fromEntries(BOXES.map((name) => [name, layout.boxes[name].dockerHost])),
    containers: perBox((box) => box.containers),
    networks: perBox((box) => box.networks),
    endpoints: {
      edge: layout.machines.edge.address,
      dns: `${layout.dns}:53`,
      registry: layout.registry,
      ...(facts && {
        headscale: facts.controlUrl,
        tailscaleApi: facts.apiUrl,
        postgres: `${facts.postgres.host}.${facts.tailnetDomain}:${facts.postgres.port}`,
        acme: facts.acme.directory,
        relay: `${facts.relay.host}.${facts.tailnetDomain}:${facts.relay.port}`,
      }),
    },
    images: { ...facts?.images },
    mail: { domain: layout.mailDomain, host: layout.mailHost, accounts: [...ACCOUNTS] },
    files: {
      state: layout.stateDir,
      logs: layout.logDir,
      secrets: layout.secretsFile,
      ...(existsSync(layout.accountsFile) && { accountPasswords: layout.accountsFile }),
      ...(facts && { apiKey: facts.apiKeyFile, passphrase: facts.passphraseFile }),
      ...(facts && { policy: facts.policyFile }),
    },
  };
}

/** The same for people. */
export function describe(info: LabInfo): string {
  const table = (rows: Record<string, string>) => {
    const width = Math.max(14, ...Object.keys(rows).map((key) => key.length));
    return Object.entries(rows).map(([key, value]) => `  ${key.padEnd(width)} ${value}`);
  };
  const machines = Object.entries(info.machines).map(([name, { netns, address, up }]) => [
    name,
    `${address.padEnd(14)} ${up ? "up  " : "down"}  network namespace ${netns}`,
  ]);
  const containers = Object.entries(info.containers).flatMap(([box, list]) =>
    list.map(({ name, status }) => [name, `${status} (on ${box})`]),
  );
  const networks = Object.entries(info.networks).map(([box, names]) => [box, names.join(", ")]);
  const accounts = info.mail.accounts.map((name) => `${name}@${info.mail.domain}`).join(", ");
  return [
    `lab "${info.name}": ${info.state}${info.state === "up" ? "" : `; start it with: npm run up${naming(info.name)}`}`,
    ...["machines:", ...table(Object.fromEntries(machines) as Record<string, string>)],
    ...["containers:", ...table(Object.fromEntries(containers) as Record<string, string>)],
    ...["networks:", ...table(Object.fromEntries(networks) as Record<string, string>)],
    ...["mail:", ...table({ host: info.mail.host, accounts })],
    ...["endpoints:", ...table(info.endpoints)],
    ...["docker hosts:", ...table(info.dockerHosts)],
    ...["files:", ...table(info.files)],
  ].join("\n");
}

interface BoxInfo {
  containers: ContainerInfo[];
  networks: string[];
}

async function inspectBox(box: Box): Promise<BoxInfo | undefined> {
  if (!(await ping(box))) return undefined;
  const containers = (await docker(box, "/containers/json?all=true")) as {
    Names: string[];
    Image: string;
    Status: string;
    Labels: Record<string, string>;
  }[];
  const networks = (await docker(box, "/networks")) as { Name: string }[];
  return {
    containers: containers.map(({ Names, Image, Status, Labels }) => ({
      name: (Names[0] ?? "").replace(/^\//, ""),
      role: Labels["tailwart.role"],
      image: Image,
      status: Status,
    })),
    networks: networks.map(({ Name }) => Name).sort(),
  };
}
