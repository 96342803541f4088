/** What is live in the registry, and what must be written to make it as desired. */
import { APPLIED_MARKER, LABELS, type RegistryObjects } from "../../lib/desired-state/registry/objects.ts";
import type { LiveRows, RegistryApi, Row } from "./jmap.ts";
import { mentions, withReferences } from "./references.ts";

type Json = Record<string, unknown>;

/** One row to be written. `before` is what an undo puts back. */
export interface Write {
  key: string;
  kind: "create" | "update" | "destroy";
  properties: Json;
  before?: Row | undefined;
}

/**
 * Rows that a deploy owns as a whole: one that is live and not declared is a hand edit. Of other
 * objects it owns those that it made; domains are never destroyed, since their accounts' mail would
 * go with them.
 */
const OWNED = new Set(["AllowedIp", "NetworkListener"]);
const SIGNATURE = "DkimSignature";
const NEVER_DESTROYED = new Set(["Domain"]);

/** The row that says that everything else is there and in force. */
export const MARKER = `MtaConnectionStrategy/${APPLIED_MARKER}`;

/**
 * The row that a deploy writes first, and that stays: what lies beside it is tailwart's. It tells a
 * deploy that was cut off, or was taken back, from a server that somebody else has set up. No
 * strategy names it.
 */
export const CLAIM = "MtaConnectionStrategy/tailwart";
export const CLAIM_ROW = { name: "tailwart" };
/**
 * Stays as long as the claim does: the server makes one of its own only where it finds no
 * connection strategy at all.
 */
export const DEFAULT_CONNECTION = "MtaConnectionStrategy/default";

/**
 * What names another row comes after it: routes before the strategy that names them (lesson 14).
 */
const LAST = ["Domain", "DkimSignature", "MailingList", "SystemSettings", "MtaOutboundStrategy"];

/**
 * Objects that a running server takes only at its start (jmap/src/registry/mapping/action.rs), and
 * the UI's bundle. Routes and strategies are not among them: a 0.16.18 took them at a reload,
 * address and strategy, and a probe proves it each time (lesson 12).
 */
const AT_START = new Set(["Application", "BlobStore", "InMemoryStore", "NetworkListener"]);
/** Of the system's settings these alone; the host name was taken at a reload. */
const SYSTEM_AT_START = "proxyTrustedNetworks";

/**
 * Between a row's key and its id, where another row has the same label: a second log on stdout,
 * with which the server takes no reload any more.
 */
const TWIN = "#";
export const isTwin = (key: string): boolean => objectOf(key) === "Tracer" && key.includes(TWIN);

/** Whether a live row that nobody declared is a hand edit. */
export const isOwned = (key: string): boolean => OWNED.has(objectOf(key)) || isTwin(key);

export const objectOf = (key: string): string => key.split("/")[0] ?? key;

/** Reads all rows of the objects that the keys are of. */
export async function readRows(api: RegistryApi, keys: Iterable<string>): Promise<LiveRows> {
  const rows = new Map<string, Row>();
  const objects = new Set([...keys].map(objectOf));
  if (objects.has(SIGNATURE)) objects.add("Domain");
  const found = await api.get([...objects]);
  for (const [object, list] of Object.entries(found)) {
    const label = LABELS[object];
    for (const row of list) {
      const key = label ? `${object}/${String(row[label])}${domainOf(object, row, found)}` : object;
      rows.set(rows.has(key) ? `${key}${TWIN}${row.id}` : key, row);
    }
  }
  return rows;
}

/** What follows a selector in its row's key: one selector has a row for each domain. */
function domainOf(object: string, row: Row, { Domain = [] }: Record<string, Row[]>): string {
  if (object !== SIGNATURE) return "";
  const domain = Domain.find(({ id }) => id === row["domainId"]);
  return `._domainkey.${String(domain?.["name"])}`;
}

/**
 * What must be written, in order.
 *
 * @param previous objects of the last deploy, or {}
 */
export function planRows(live: LiveRows, desired: RegistryObjects, previous: RegistryObjects): Write[] {
  const writes: Write[] = [];
  for (const [key, properties] of Object.entries(desired)) {
    const row = live.get(key);
    if (!row) writes.push({ key, kind: "create", properties });
    else {
      const changed = changedProperties(row, properties, live);
      if (Object.keys(changed).length > 0)
        writes.push({ key, kind: "update", properties: changed, before: row });
    }
  }
  const rank = ({ key }: Write) => LAST.indexOf(objectOf(key));
  writes.sort((a, b) => rank(a) - rank(b));
  const gone = [...live.keys()].filter(
    (key) =>
      !(key in desired) &&
      key.includes("/") &&
      !NEVER_DESTROYED.has(objectOf(key)) &&
      (key in previous || isOwned(key)) &&
      !isNamedByAStranger(key, live, desired),
  );
  return [
    ...writes,
    ...gone.map((key) => ({ key, kind: "destroy" as const, properties: {}, before: live.get(key) })),
  ];
}

/**
 * True when a write, or what an interrupted deploy has written, is not in force before the next
 * start.
 */
export function needsRestart(
  writes: readonly Write[],
  desired: RegistryObjects,
  previous: RegistryObjects,
): boolean {
  // A reload switches the tables of addresses off, and not to other ones before those in memory
  // expire (common/src/network/asn.rs).
  const atStart = new Set([...AT_START, ...(desired["Asn"]?.["@type"] === "Resource" ? ["Asn"] : [])]);
  const written = writes.some(
    ({ key, properties }) =>
      atStart.has(objectOf(key)) || (key === "SystemSettings" && SYSTEM_AT_START in properties),
  );
  const declared = (objects: RegistryObjects) =>
    Object.fromEntries([
      ...Object.entries(objects).filter(([key]) => atStart.has(objectOf(key))),
      ["SystemSettings", objects["SystemSettings"]?.[SYSTEM_AT_START]],
    ]) as Json;
  return written || !sameValue(declared(previous), declared(desired));
}

/**
 * A domain that is declared no more stays, and with it the rows that it names: the server would
 * refuse to destroy them (objectIsLinked).
 */
function isNamedByAStranger(key: string, live: LiveRows, desired: RegistryObjects): boolean {
  const id = live.get(key)?.id ?? "";
  return [...live].some(
    ([other, row]) =>
      NEVER_DESTROYED.has(objectOf(other)) && !(other in desired) && mentions({ ...row, id: "" }, id),
  );
}

/** Declared properties whose live value is another. */
function changedProperties(row: Json, declared: Json, live: LiveRows): Json {
  return Object.fromEntries(
    Object.entries(declared).filter(
      ([name, value]) => !sameValue(withReferences(row[name], value, live), value, name),
    ),
  );
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);

/**
 * Whether a live value is what is declared. A variant (`@type`) may have more properties than are
 * declared, which hold their defaults; a set or a list may not. The server writes contacts back as
 * `mailto:` addresses.
 */
export function sameValue(live: unknown, declared: unknown, name = ""): boolean {
  if (isEmpty(declared)) return isEmpty(live) || live === false;
  if (typeof declared !== "object" || declared === null) return live === declared;
  if (typeof live !== "object" || live === null) return false;
  const [a, b] = name === "contact" ? [bare(live), bare(declared)] : [live as Json, declared as Json];
  const keys = "@type" in b ? Object.keys(b) : [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.every((key) => sameValue(a[key], b[key], key));
}

const bare = (contacts: object): Json =>
  Object.fromEntries(Object.entries(contacts).map(([contact, on]) => [contact.replace(/^mailto:/, ""), on]));
