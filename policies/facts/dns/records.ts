import { gapAt } from "../../framework/judgement.ts";
import type { NotJudged, PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, perResource, readAt, readString, type Path } from "../../framework/values.ts";
import { mayBeGiven } from "../docker/containers.ts";
import { stringsOf } from "./txt.ts";

/** One value of a record set, in the words of a zone file. */
export interface RecordValue {
  readonly where: string;
  /** TXT: its strings joined. MX: the host alone. CAA: `0 issue ca.example`. */
  readonly text: string;
  /** Of TXT: the strings, where the program says how the value is divided; else one. */
  readonly strings: readonly string[];
}

/** What a resource says of one name and type. */
export interface RecordSet {
  readonly resource: PolicyResource;
  /** Upper case; undefined where it is unknown. */
  readonly type: string | undefined;
  /** As it is written, relative to its zone or not; undefined where it is unknown. */
  readonly name: string | undefined;
  readonly values: readonly RecordValue[];
  /** What is unknown of the values. */
  readonly gaps: readonly NotJudged[];
  /** True where the provider works out the answer, so that values are not in the resource. */
  readonly elsewhere: boolean;
  /**
   * Of a set that is one of several for its name, of which an answer holds one: which one. Empty
   * for all others.
   */
  readonly variant: string;
}

/** How a provider's resource writes records. */
export interface RecordKind {
  /** The input that says which zone. */
  readonly zone: string;
  /** True where that input is the zone's name; else it is an id. */
  readonly zoneIsName?: true;
  /** True where names are never relative to the zone. */
  readonly absolute?: true;
  /** Inputs that hold the one value, in the order in which they count. */
  readonly one?: readonly string[];
  /** The input that holds a list of values, and below each item where the value is. */
  readonly many?: string;
  readonly item?: string;
  /** TXT values: the program divides them, not the provider. */
  readonly divides?: true;
  /** Where quotes are put around a TXT value that has none. */
  readonly wraps?: true;
  /** A host without a final dot is relative to the zone, as in a zone file. */
  readonly relativeHosts?: true;
  /** The inputs that stand in place of values. */
  readonly instead?: readonly string[];
  /** Where a CAA's flags, tag and value are: below this input, or beside the others. */
  readonly caa?: Path;
}

const CLOUDFLARE: RecordKind = { zone: "zoneId", one: ["content", "value"], caa: ["data"] };

/**
 * Resources that are DNS records, by type. Their inputs, from the packages' API pages in Pulumi's
 * registry: cloudflare 5 (Record) and 6 (DnsRecord), digitalocean 4, aws 7, gcp 9 and hcloud 1.32.
 *
 * @see terraform-provider-aws internal/service/route53/record.go: expandTxtEntry and
 *   flattenTxtEntry put quotes around what has none; ExpandRecordName adds the zone's name
 */
export const RECORD_KINDS: Readonly<Record<string, RecordKind>> = {
  "cloudflare:index/record:Record": CLOUDFLARE,
  "cloudflare:index/dnsRecord:DnsRecord": CLOUDFLARE,
  "digitalocean:index/dnsRecord:DnsRecord": {
    zone: "domain",
    zoneIsName: true,
    one: ["value"],
    relativeHosts: true,
    caa: [],
  },
  "aws:route53/record:Record": {
    zone: "zoneId",
    many: "records",
    divides: true,
    wraps: true,
    instead: ["aliases"],
  },
  "gcp:dns/recordSet:RecordSet": {
    zone: "managedZone",
    absolute: true,
    many: "rrdatas",
    divides: true,
    relativeHosts: true,
    instead: ["routingPolicy"],
  },
  "hcloud:index/zoneRrset:ZoneRrset": {
    zone: "zone",
    zoneIsName: true,
    many: "records",
    item: "value",
    divides: true,
    relativeHosts: true,
  },
  "hcloud:index/zoneRecord:ZoneRecord": {
    zone: "zone",
    zoneIsName: true,
    one: ["value"],
    divides: true,
    relativeHosts: true,
  },
};

/** The types of resources that are DNS records. */
export const RECORD_TYPES: readonly string[] = Object.keys(RECORD_KINDS);

export const NO_RECORD = { notApplicable: "no DNS record is in it" } as const;

/** The text of an input, `undefined` where it has none, or not known; numbers are texts too. */
function inputAt(resource: PolicyResource, path: Path): { known: boolean; value?: string } {
  const found = readAt(resource.props, path);
  // Over the whole stack what the program does not give is unknown, where the provider fills it in.
  if (!found.known) return { known: !mayBeGiven(resource, String(path[0])) };
  return typeof found.value === "string" || typeof found.value === "number"
    ? { known: true, value: String(found.value) }
    : { known: true };
}

function valueOf(kind: RecordKind, type: string, where: string, written: string): RecordValue {
  const strings = type === "TXT" || type === "SPF" ? stringsOf(written, kind.wraps ?? false) : [];
  // Only a list has the preference within the value.
  const text =
    strings.length > 0 ? strings.join("") : written.trim().replace(type === "MX" ? /^\d+\s+/ : /^$/, "");
  return { where, text, strings: kind.divides ? strings : [] };
}

type Values = Pick<RecordSet, "values" | "gaps">;

function listed(resource: PolicyResource, kind: RecordKind, many: string, type: string): Values {
  const list = listAt(resource.props, [many]);
  if (!list.known) return { values: [], gaps: mayBeGiven(resource, many) ? [gapAt(many)] : [] };
  const below: Path = kind.item === undefined ? [] : [kind.item];
  const read = list.entries.map(({ path }) => ({
    where: formatPath([...path, ...below]),
    text: readString(resource.props, [...path, ...below]),
  }));
  return {
    values: read.flatMap(({ where, text }) =>
      text.value === undefined ? [] : [valueOf(kind, type, where, text.value)],
    ),
    gaps: read.filter(({ text }) => !text.known).map(({ where }) => gapAt(where)),
  };
}

/** A CAA record that is written in parts. */
function inParts(resource: PolicyResource, kind: RecordKind, at: Path): Values | undefined {
  const parts = ["flags", "tag", "value"].map((part) => inputAt(resource, [...at, part]));
  const where = formatPath([...at, "value"]);
  if (parts.some(({ known }) => !known)) return { values: [], gaps: [gapAt(where)] };
  const [flags, tag, value] = parts.map((part) => part.value);
  if (tag === undefined || value === undefined) return undefined;
  return { values: [valueOf(kind, "CAA", where, `${flags ?? 0} ${tag} ${value}`)], gaps: [] };
}

function single(resource: PolicyResource, kind: RecordKind, type: string): Values {
  const parts = type === "CAA" && kind.caa ? inParts(resource, kind, kind.caa) : undefined;
  if (parts) return parts;
  for (const input of kind.one ?? []) {
    const { known, value } = inputAt(resource, [input]);
    if (!known) return { values: [], gaps: [gapAt(input)] };
    if (value !== undefined) return { values: [valueOf(kind, type, input, value)], gaps: [] };
  }
  return { values: [], gaps: [] };
}

function variantOf(resource: PolicyResource): string {
  // With a multivalue policy an answer holds all of the sets.
  const together = readAt(resource.props, ["multivalueAnswerRoutingPolicy"]);
  if (together.known && together.value === true) return "";
  const id = inputAt(resource, ["setIdentifier"]);
  return id.known ? (id.value ?? "") : resource.urn;
}

/** Whether a resource has an input: something that is not empty, or what is unknown yet. */
function has(resource: PolicyResource, input: string): boolean {
  const found = readAt(resource.props, [input]);
  if (!found.known) return mayBeGiven(resource, input);
  return Array.isArray(found.value) ? found.value.length > 0 : typeof (found.value ?? "") === "object";
}

/** The records of a resource, or undefined for a resource of another type. */
export const recordSetOf = perResource(
  (resource: PolicyResource): RecordSet | undefined => {
    const kind = RECORD_KINDS[resource.type];
    if (!kind) return undefined;
    const type = readString(resource.props, ["type"]).value?.toUpperCase();
    const values = kind.many
      ? listed(resource, kind, kind.many, type ?? "TXT")
      : single(resource, kind, type ?? "TXT");
    return {
      resource,
      type,
      name: readString(resource.props, ["name"]).value,
      ...values,
      elsewhere: (kind.instead ?? []).some((input) => has(resource, input)),
      variant: variantOf(resource),
    };
  },
  ({ props }) => props,
);
