import { CONTAINER } from "../docker.ts";
import type { Subject } from "../definition.ts";
import { read, readString } from "../visit.ts";
import type { CaddyConfig } from "./model.ts";

/** A certificate that one Caddy orders by ACME. */
export interface Order {
  readonly urn: string;
  readonly where: string;
  readonly name: string;
}

/** One running Caddy, as far as a stack's resources tell them apart. */
export interface CaddyInstance {
  readonly kind: "container" | "machine";
  /** Undefined where it cannot be told from others. */
  readonly id: string | undefined;
  readonly orders: readonly Order[];
  readonly sharedStorage: boolean;
  /** Volumes and host folders of a container: Caddies with one of them in common may share their certificates. */
  readonly storage: ReadonlySet<string>;
}

function storageOf(container: Subject): Set<string> {
  const found = new Set<string>();
  for (const [list, key] of [
    ["volumes", "volumeName"],
    ["volumes", "hostPath"],
    ["mounts", "source"],
  ] as const) {
    const entries = read(container.props, list);
    if (!entries.known || !Array.isArray(entries.value)) continue;
    for (let i = 0; i < entries.value.length; i++) {
      const entry = read(entries.value, i);
      const name = entry.known ? readString(entry.value, [key]) : { known: false };
      // An unknown name may be the other's.
      if (!name.known) found.add("");
      else if (name.value) found.add(name.value);
    }
  }
  return found;
}

/** Where a command runs: commands on one machine write parts of one Caddy's config, as far as anyone can tell. A local one may act on any. */
function machineOf(command: Subject): string | undefined {
  for (const path of [
    ["connection", "host"],
    ["environment", "DOCKER_HOST"],
  ]) {
    const host = readString(command.props, path);
    if (!host.known) return undefined;
    if (host.value) return host.value.replace(/^(?:\w+:\/\/)?(?:.*@)?/, "");
  }
  return undefined;
}

/** The Caddies of a stack with what each orders. */
export function caddyInstances(
  caddies: readonly { readonly subject: Subject; readonly configs: readonly CaddyConfig[] }[],
): CaddyInstance[] {
  return caddies.flatMap(({ subject, configs }): CaddyInstance[] => {
    const container = subject.type === CONTAINER;
    const id = container ? subject.urn : machineOf(subject);
    const orders = configs
      .flatMap(({ certificates }) => certificates)
      .filter(({ acme }) => acme)
      .map(({ where, name }) => ({ urn: subject.urn, where, name }));
    return [
      {
        kind: container ? "container" : "machine",
        id,
        orders: [...new Map(orders.toReversed().map((order) => [order.name, order])).values()].toReversed(),
        sharedStorage: configs.some((config) => config.sharedStorage),
        storage: container ? storageOf(subject) : new Set(),
      },
    ];
  });
}

/**
 * Names that two Caddies order. Only containers are held against containers, and machines against machines: a command may well configure the Caddy of
 * a container.
 */
export function ordersTwice(instances: readonly CaddyInstance[]): { order: Order; first: Order }[] {
  const twice: { order: Order; first: Order }[] = [];
  for (const [i, one] of instances.entries()) {
    for (const order of one.orders) {
      const first = instances
        .slice(0, i)
        .filter(
          ({ kind, id }) => kind === one.kind && id !== undefined && one.id !== undefined && id !== one.id,
        )
        .filter(
          (other) =>
            !(other.sharedStorage && one.sharedStorage) &&
            ![...one.storage].some((volume) => other.storage.has(volume)),
        )
        .flatMap((other) => other.orders)
        .find((other) => other.name === order.name);
      if (first) twice.push({ order, first });
    }
  }
  return twice;
}
