import type { PolicyResource } from "../../framework/policy.ts";
import { listAt, readString } from "../../framework/values.ts";
import type { CaddyConfig } from "./model.ts";
import { couldBeSame, openPlaceholder } from "./placeholders.ts";
import { CONTAINER } from "../docker/containers.ts";

/** A certificate that one Caddy orders by ACME. */
export interface Order {
  readonly urn: string;
  readonly where: string;
  readonly name: string;
  readonly directories: readonly string[];
}

/** One running Caddy, as far as a stack's resources distinguish them. */
export interface CaddyInstance {
  /** Runs in a container, not on a machine that commands act on. */
  readonly inContainer: boolean;
  /** Undefined where it cannot be distinguished from others. */
  readonly id: string | undefined;
  readonly orders: readonly Order[];
  /** Orders of a name that a placeholder leaves open. */
  readonly open: readonly Order[];
  readonly sharedStorage: boolean;
  readonly storage: Storage;
}

/** Volumes and host folders: Caddies with one in common may share their certificates. */
interface Storage {
  readonly names: ReadonlySet<string>;
  /** False where more of them are unknown at preview. */
  readonly complete: boolean;
}

function storageOf(container: PolicyResource): Storage {
  const names = new Set<string>();
  let complete = true;
  for (const [list, key] of [
    ["volumes", "volumeName"],
    ["volumes", "hostPath"],
    ["mounts", "source"],
  ] as const) {
    const { known, entries } = listAt(container.props, [list]);
    complete &&= known;
    for (const { path } of entries) {
      const name = readString(container.props, [...path, key]);
      if (!name.known) complete = false;
      else if (name.value) names.add(name.value);
    }
  }
  return { names, complete };
}

/** Commands on one machine are taken to write one Caddy's config. A local one may act on any. */
function machineOf(command: PolicyResource): string | undefined {
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

/** Each name once, at its first place. */
const once = (orders: readonly Order[]): Order[] =>
  [...new Map(orders.toReversed().map((order) => [order.name, order])).values()].toReversed();

/** The Caddies of a stack with what each orders. */
export function caddyInstances(
  caddies: readonly { readonly resource: PolicyResource; readonly configs: readonly CaddyConfig[] }[],
): CaddyInstance[] {
  return caddies.flatMap(({ resource, configs }): CaddyInstance[] => {
    const inContainer = resource.type === CONTAINER;
    // All labels are taken to drive one Caddy.
    const byLabels = configs.every((config) => config.byLabels);
    const id = byLabels ? "by labels" : inContainer ? resource.urn : machineOf(resource);
    const all = configs
      .flatMap(({ certificates }) => certificates)
      .filter(({ acme }) => acme)
      .map(({ where, name, directories }) => ({ urn: resource.urn, where, name, directories }));
    const [open = [], orders = []] = [true, false].map((isOpen) =>
      all.filter(({ name }) => (openPlaceholder(name) !== undefined) === isOpen),
    );
    return [
      {
        inContainer,
        id,
        orders: once(orders),
        open: once(open),
        sharedStorage: configs.some((config) => config.sharedStorage),
        storage: inContainer ? storageOf(resource) : { names: new Set(), complete: true },
      },
    ];
  });
}

/** Whether two Caddies share their certificates; "maybe" where a volume's name is unknown. */
function share(a: CaddyInstance, b: CaddyInstance): "yes" | "no" | "maybe" {
  if (a.sharedStorage && b.sharedStorage) return "yes";
  if ([...a.storage.names].some((name) => b.storage.names.has(name))) return "yes";
  const hasAny = ({ storage }: CaddyInstance): boolean => storage.names.size > 0 || !storage.complete;
  return (!a.storage.complete && hasAny(b)) || (!b.storage.complete && hasAny(a)) ? "maybe" : "no";
}

/** Whether two are known to be different Caddies: a command may configure that of a container. */
const areTwo = (one: CaddyInstance, other: CaddyInstance): boolean =>
  one.inContainer === other.inContainer &&
  one.id !== undefined &&
  other.id !== undefined &&
  one.id !== other.id;

/** Orders of which a placeholder decides whether another Caddy orders the name too. */
export function mayOrderTwice(instances: readonly CaddyInstance[]): Order[] {
  return instances.flatMap((one) => {
    const others = instances.filter((other) => areTwo(one, other) && share(one, other) !== "yes");
    const names = others.flatMap(({ orders, open }) => [...orders, ...open]);
    return one.open.filter(({ name }) => names.some((other) => couldBeSame(name, other.name)));
  });
}

/** A name that two Caddies order. */
export interface Twice {
  readonly order: Order;
  readonly first: Order;
  /** False where both may share their certificates. */
  readonly sure: boolean;
}

/** Names that two Caddies order. */
export function ordersTwice(instances: readonly CaddyInstance[]): Twice[] {
  const twice: Twice[] = [];
  for (const [i, one] of instances.entries()) {
    for (const order of one.orders) {
      const found = instances
        .slice(0, i)
        .filter((other) => areTwo(one, other))
        .flatMap((other) => {
          const shared = share(one, other);
          const first = other.orders.find(({ name }) => name === order.name);
          return first && shared !== "yes" ? [{ order, first, sure: shared === "no" }] : [];
        });
      twice.push(...found.toSorted((a, b) => Number(b.sure) - Number(a.sure)).slice(0, 1));
    }
  }
  return twice;
}
