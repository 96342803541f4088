import type { PolicyResource } from "../../framework/policy.ts";
import { readAt, readString } from "../../framework/values.ts";
import { plainName } from "../hosts.ts";
import { RECORD_KINDS } from "./record-kinds.ts";
import { recordSetsOf, type RecordSet } from "./records.ts";

/** A zone as far as the stack tells. */
export interface Zone {
  /** What tells it from the other zones of the stack. */
  readonly key: string;
  /** Undefined where the stack has its id alone. */
  readonly name: string | undefined;
  /** The resource that makes it. */
  readonly resource: PolicyResource | undefined;
  /** False where only some networks are answered; undefined where the stack does not tell. */
  readonly isPublic: boolean | undefined;
}

/** A record set with its owner. */
export interface OwnedSet extends RecordSet {
  readonly zone: Zone;
  /**
   * The owner's name without the final dot: absolute where the zone's name is known, else as it is
   * written, with `@` for the zone itself. Undefined where it is unknown.
   */
  readonly owner: string | undefined;
  /** True where `owner` is a whole name: a written one with a dot is taken for that, too. */
  readonly whole: boolean;
}

/**
 * Whether all records of the names of sets are in the stack, as it makes their zone; in any other
 * zone somebody may have set more by hand.
 */
export const areOfMadeZone = (sets: readonly OwnedSet[]): boolean =>
  sets.every(({ zone }) => zone.resource !== undefined);

/** The inputs of resources that make a zone, in which its name is. */
const ZONE_NAMES: Readonly<Record<string, readonly string[]>> = {
  "cloudflare:index/zone:Zone": ["name", "zone"],
  "digitalocean:index/domain:Domain": ["name"],
  "aws:route53/zone:Zone": ["name"],
  "gcp:dns/managedZone:ManagedZone": ["dnsName"],
  "hcloud:index/zone:Zone": ["name"],
};

/** Providers that have private zones: what says so, and of which value. */
function isPublic(zone: PolicyResource | undefined, type: string): boolean | undefined {
  if (!/^(?:aws|gcp):/.test(type)) return true;
  if (!zone) return undefined;
  const vpcs = readAt(zone.props, ["vpcs"]);
  if (type.startsWith("aws:"))
    return vpcs.known ? !(Array.isArray(vpcs.value) && vpcs.value.length > 0) : undefined;
  const visibility = readString(zone.props, ["visibility"]);
  return visibility.known ? visibility.value !== "private" : undefined;
}

function zoneOf(resource: PolicyResource): Zone {
  const kind = RECORD_KINDS[resource.type];
  const input = kind?.zone ?? "";
  const made = resource.propertyDependencies?.[input]?.find(({ type }) => type in ZONE_NAMES);
  const text = readString(resource.props, [input]).value;
  const names = made
    ? (ZONE_NAMES[made.type] ?? []).map((name) => readString(made.props, [name]).value)
    : [kind?.zoneIsName && text?.includes(".") ? text : undefined];
  const name = names.find((one) => one !== undefined);
  return {
    key: made?.urn ?? `${resource.type.split(":")[0]} ${text ?? resource.urn}`,
    name: name === undefined ? undefined : plainName(name),
    resource: made,
    isPublic: isPublic(made, resource.type),
  };
}

/** The owner of a name as it is written: providers add the zone's name where it is not there. */
function ownerOf(written: string, zone: Zone, absolute: boolean): Pick<OwnedSet, "owner" | "whole"> {
  const bare = plainName(written);
  const name = bare === "@" ? "" : bare;
  if (absolute) return { owner: name, whole: true };
  if (zone.name === undefined) return { owner: name || "@", whole: name.includes(".") };
  const isWhole = name === zone.name || name.endsWith(`.${zone.name}`);
  return { owner: isWhole ? name : name === "" ? zone.name : `${name}.${zone.name}`, whole: true };
}

/** Every record set of the stack, with its owner. */
export function recordsOfStack(resources: readonly PolicyResource[]): OwnedSet[] {
  return resources.flatMap((resource) => {
    const sets = recordSetsOf(resource);
    if (sets.length === 0) return [];
    const zone = zoneOf(resource);
    const absolute = RECORD_KINDS[resource.type]?.absolute ?? false;
    return sets.map((set) => ({
      ...set,
      resource,
      zone,
      ...(set.name === undefined ? { owner: undefined, whole: false } : ownerOf(set.name, zone, absolute)),
    }));
  });
}

/**
 * The whole name of a host in a value, such as an MX's; undefined where only the zone's name would
 * tell.
 */
export function hostIn({ resource, zone }: OwnedSet, text: string): string | undefined {
  const isRelative =
    (RECORD_KINDS[resource.type]?.relativeHosts ?? false) && !text.endsWith(".") && !text.includes(".");
  const name = plainName(text);
  if (!isRelative) return name;
  if (zone.name === undefined) return undefined;
  return name === "@" ? zone.name : `${name}.${zone.name}`;
}
