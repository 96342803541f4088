/**
 * A fake of Stalwart's registry API (0.16 and later), which no package registry has: POST /jmap on
 * loopback, small and strict. It answers as the sources say that the real one does: sets as objects
 * of `true`s, refusals as HTTP 200 with notCreated and the like, masked secrets, properties that
 * cannot be changed, a reload of all or nothing, and some objects that wait for a restart. What it
 * does not know it refuses.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import ipaddr from "ipaddr.js";

import {
  checkChange,
  checkProperties,
  checkRequired,
  type HasRow,
  type SetError,
} from "./fake-registry-checks.ts";
import type { FakeObject } from "./fake-registry-kinds.ts";
import { AT_START, FAKE_OBJECTS } from "./fake-registry-schema.ts";

type Json = Record<string, unknown>;
type Row = Json & { id: string };

interface Stored {
  objects: [object: string, rows: Row[]][];
  nextId: number;
  storedOnce: string[];
}

const MASK = "****";
/** maxCallsInRequest of a 0.16.18 server as it is delivered. */
const MAX_CALLS = 16;

export class FakeRegistry {
  readonly requests: string[] = [];
  /** Secret files that the server can read; another one makes its reload fail. */
  readonly readableFiles = new Set<string>();
  /** CAs that do not answer: the server asks one when it is declared. */
  readonly silentCas = new Set<string>();
  /** Object → row id → row, as it is stored. */
  readonly #stored = new Map<string, Map<string, Row>>();
  #inForce = new Map<string, string>();
  #nextId = 1;
  readonly #storedOnce = new Set<string>();
  #server: Server | undefined;
  /** Answers that are still given before the connection is cut, as by a kill of the client. */
  answersLeft = Number.POSITIVE_INFINITY;
  /** HTTP requests that were answered; one may carry several calls. */
  answers = 0;
  /** Whether Postgres is away: each call of a request says so by itself, under HTTP 200. */
  storeAway = false;
  restarts = 0;
  /** Hash in the file that the entrypoint has of the administrator's password. */
  adminHash = "";
  /**
   * Whether the administrator of last resort is logged in: in recovery mode, and where no account
   * takes that password (lib/stalwart/recovery.sh).
   */
  lastResort = true;

  constructor() {
    for (const [name, object] of Object.entries(FAKE_OBJECTS)) {
      const rows = new Map<string, Row>();
      if (object.singleton)
        rows.set("singleton", { ...structuredClone(object.defaults ?? {}), id: "singleton" });
      this.#stored.set(name, rows);
    }
    for (const object of this.#stored.keys()) this.#force(object);
  }

  /** @param port one that is free, or any */
  async listen(port = 0): Promise<string> {
    // An idle connection is ended by nobody: hyper has no timer there (http/src/request.rs,
    // `handle_session`).
    const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        if (this.answersLeft-- <= 0) return void request.socket.destroy();
        this.answers++;
        if (!this.accepts(request.headers.authorization))
          return void response.writeHead(401).end(JSON.stringify({ title: "Unauthorized" }));
        if (request.method === "GET" && request.url === "/jmap/session")
          return void response.end(
            JSON.stringify({ username: this.lastResort ? "admin" : "admin@lab.test" }),
          );
        if (request.method !== "POST" || request.url !== "/jmap")
          return void response.writeHead(404).end("{}");
        const answer = this.#answer(JSON.parse(body) as Json);
        void this.keep().then(() => {
          response.writeHead(Number(answer["status"] ?? 200), { "content-type": "application/json" });
          response.end(JSON.stringify(answer));
        });
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Whether a login is taken; any is. */
  protected accepts(authorization = ""): boolean {
    return authorization.startsWith("Basic ");
  }

  /**
   * Called when a request has been done, before it is answered: what it has written dies with this
   * process.
   */
  protected keep(): Promise<void> {
    return Promise.resolve();
  }

  /** All that is stored, for another process that serves the same data store. */
  protected get stored(): string {
    const objects = [...this.#stored].map(([name, rows]) => [name, [...rows.values()]]);
    return JSON.stringify({ objects, nextId: this.#nextId, storedOnce: [...this.#storedOnce] });
  }

  protected set stored(text: string) {
    const { objects, nextId, storedOnce } = JSON.parse(text) as Stored;
    for (const [name, rows] of objects) this.#stored.set(name, new Map(rows.map((row) => [row.id, row])));
    this.#nextId = nextId;
    for (const name of storedOnce) this.#storedOnce.add(name);
    for (const object of this.#stored.keys()) this.#force(object);
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** The server is started anew: everything that is stored comes into force. */
  restart(): void {
    this.restarts++;
    this.lastResort = ![...this.#rows("Account").values()].some(
      (account) => account["name"] === "admin" && JSON.stringify(account).includes(this.adminHash),
    );
    for (const [name, { atFirstStart }] of Object.entries(FAKE_OBJECTS))
      if (atFirstStart && !this.#storedOnce.has(name)) {
        Object.assign(this.#rows(name).get("singleton") as Row, atFirstStart);
        this.#storedOnce.add(name);
      }
    for (const object of this.#stored.keys()) this.#force(object);
  }

  /**
   * Rows as they are in force, secrets unmasked; what a reload or a restart has not taken up is not
   * in them.
   */
  inForce(object: string): Json[] {
    return JSON.parse(this.#inForce.get(object) ?? "[]") as Json[];
  }

  /** A hand edit in the admin UI: stored, and in force at once. */
  edit(object: string, find: (row: Json) => boolean, change: Json | undefined): void {
    const rows = this.#rows(object);
    const row = [...rows.values()].find(find);
    if (!row) throw new Error(`the fake has no such ${object}`);
    if (change) Object.assign(row, change);
    else rows.delete(row.id);
    this.#force(object);
  }

  /** A row that somebody has made by hand. */
  add(object: string, row: Json): void {
    const id = this.#id();
    this.#rows(object).set(id, { ...row, id });
    this.#force(object);
  }

  #force(object: string): void {
    this.#inForce.set(object, JSON.stringify([...this.#rows(object).values()]));
  }

  #rows(object: string): Map<string, Row> {
    const rows = this.#stored.get(object);
    if (!rows) throw new Error(`the fake knows no ${object}`);
    return rows;
  }

  #id(): string {
    return `b${(this.#nextId++).toString(32)}`;
  }

  #answer(body: Json): Json {
    const calls = body["methodCalls"] as [string, Json, string][];
    if (!Array.isArray(body["using"])) return { type: "urn:ietf:params:jmap:error:notRequest", status: 400 };
    if (calls.length > MAX_CALLS)
      return { type: "urn:ietf:params:jmap:error:limit", status: 400, limit: "maxCallsInRequest" };
    return { methodResponses: calls.map(([method, args, id]) => this.#call(method, args, id)) };
  }

  #call(method: string, args: Json, id: string): [string, Json, string] {
    const [, object = "", verb = ""] = /^x:(\w+)\/(get|set|query)$/.exec(method) ?? [];
    this.requests.push(`${verb} ${object}`);
    if (this.storeAway) return ["error", { type: "serverUnavailable" }, id];
    if (object === "Action" && verb === "set") return [method, this.#action(args), id];
    if (!(object in FAKE_OBJECTS)) return ["error", { type: "unknownMethod" }, id];
    if (verb === "query") return this.#query(object, args, id);
    if (verb === "get") {
      return [method, this.#get(object, args["ids"] as string[] | null), id];
    }
    return [method, this.#set(object, args), id];
  }

  /**
   * What is indexed of an account (registry/src/schema/properties_impl.rs); of other objects
   * nothing is asked.
   */
  #query(object: string, args: Json, id: string): [string, Json, string] {
    const filter = Object.entries((args["filter"] ?? {}) as Json);
    if (object !== "Account" || filter.some(([key]) => !["name", "domainId"].includes(key)))
      return ["error", { type: "unsupportedFilter" }, id];
    const found = [...this.#rows(object).values()].filter((row) =>
      filter.every(([key, value]) => row[key] === value),
    );
    return [`x:${object}/query`, { ids: found.map((row) => row.id) }, id];
  }

  /**
   * Without ids every row but a singleton, which is in no list, stored or not (seen on 0.16.18).
   */
  #get(object: string, ids: string[] | null): Json {
    const rows = this.#rows(object);
    const wanted = ids ?? (FAKE_OBJECTS[object]?.singleton ? [] : [...rows.keys()]);
    const list = wanted.flatMap((id) => masked(rows.get(id)) ?? []) as Row[];
    // Put together for each answer (jmap/src/registry/get.rs).
    if (object === "MailingList")
      for (const row of list)
        row["emailAddress"] =
          `${String(row["name"])}@${String(this.#rows("Domain").get(String(row["domainId"]))?.["name"])}`;
    return { list, notFound: wanted.filter((id) => !rows.has(id)) };
  }

  #set(name: string, args: Json): Json {
    const object = FAKE_OBJECTS[name] as FakeObject;
    const rows = this.#rows(name);
    const answer = { created: {} as Json, updated: {} as Json, destroyed: [] as string[] };
    const refused = { notCreated: {} as Json, notUpdated: {} as Json, notDestroyed: {} as Json };
    for (const [cid, value] of Object.entries((args["create"] ?? {}) as Record<string, Json>)) {
      const problem = object.singleton ? { type: "singleton" } : this.#checkNew(name, object, value);
      if (problem) refused.notCreated[cid] = problem;
      else {
        const id = this.#id();
        rows.set(id, { ...structuredClone(object.defaults ?? {}), ...rewritten(name, value), id });
        answer.created[cid] = { id };
      }
    }
    for (const [id, patch] of Object.entries((args["update"] ?? {}) as Record<string, Json>)) {
      const row = rows.get(id);
      const changes = patched(row ?? {}, patch);
      const problem = row
        ? (checkChange(object, row, changes, this.#has) ??
          (object.singleton ? checkRequired(object, { ...row, ...changes }) : undefined) ??
          this.#checkProof(name, { ...row, ...changes }) ??
          this.#addressTaken(name, { ...row, ...changes }))
        : { type: "notFound" };
      if (problem) refused.notUpdated[id] = problem;
      else {
        const before = JSON.stringify(row);
        replace(row as Row, rewritten(name, changes), object);
        // What changes nothing is not stored, and a singleton stays without a row
        // (jmap/src/registry/set.rs).
        if (JSON.stringify(row) !== before) this.#storedOnce.add(name);
        answer.updated[id] = null;
      }
    }
    for (const id of (args["destroy"] ?? []) as string[]) {
      const linked = this.#linksTo(name, rows.get(id));
      if (object.singleton) refused.notDestroyed[id] = { type: "singleton" };
      else if (!rows.has(id)) refused.notDestroyed[id] = { type: "notFound" };
      else if (linked)
        refused.notDestroyed[id] = { type: "objectIsLinked", linkedObjects: [{ object: linked }] };
      else {
        rows.delete(id);
        answer.destroyed.push(id);
      }
    }
    // Accounts and lists are asked for row by row, and wait for no reload
    // (`CacheInvalidationBuilder`).
    if (name === "Account" || name === "MailingList") this.#force(name);
    return { ...answer, ...refused };
  }

  #checkNew(name: string, object: FakeObject, value: Json): SetError | undefined {
    const problem =
      checkProperties(object, value, String(value["@type"] ?? ""), this.#has) ??
      this.#checkProof(name, value) ??
      this.#addressTaken(name, value);
    if (problem || object.primaryKey === undefined) return problem;
    const key = object.primaryKey;
    const taken = [...this.#rows(name).values()].find((row) => row[key] === value[key]);
    return taken ? { type: "primaryKeyViolation", properties: [key] } : undefined;
  }

  readonly #has: HasRow = (object, id, type) => {
    const row = this.#rows(object).get(id);
    return row !== undefined && (type === undefined || row["@type"] === type);
  };

  /**
   * What the server tries out before it stores a row (jmap/src/registry/mapping: domain.rs,
   * tls.rs).
   */
  #checkProof(name: string, value: Json): SetError | undefined {
    if (name === "AcmeProvider" && this.silentCas.has(String(value["directory"])))
      return {
        type: "invalidProperties",
        properties: ["directory"],
        description: "Failed to create ACME account: connection refused",
      };
    if (name === "DnsServer" && filesIn(value).some((file) => !this.readableFiles.has(file)))
      return { type: "invalidProperties", description: "Failed to build DNS server: a file cannot be read" };
    if (name !== "Domain") return undefined;
    const [certificates, dns] = [value["certificateManagement"], value["dnsManagement"]] as (
      Json | undefined
    )[];
    const provider = this.#rows("AcmeProvider").get(String(certificates?.["acmeProviderId"]));
    if (provider?.["challengeType"] !== "Dns01" || dns?.["@type"] === "Automatic") return undefined;
    const description = "ACME provider requires automatic DNS management";
    return { type: "invalidProperties", properties: ["acmeProviderId"], description };
  }

  /**
   * An address leads to one account or list alone (`unique_global_composite`,
   * registry/src/schema/structs_impl.rs).
   */
  #addressTaken(name: string, value: Json): SetError | undefined {
    if (name !== "Account" && name !== "MailingList") return undefined;
    const addresses = (row: Json) =>
      [row, ...Object.values((row["aliases"] ?? {}) as Record<string, Json>)].map(
        (each) => `${String(each["name"])}@${String(each["domainId"])}`,
      );
    const all = [...this.#rows("Account").values(), ...this.#rows("MailingList").values()];
    const others = all.filter(({ id }) => id !== value["id"]);
    const taken = new Set(others.flatMap(addresses));
    return addresses(value).some((address) => taken.has(address))
      ? { type: "primaryKeyViolation", properties: ["email"] }
      : undefined;
  }

  #linksTo(name: string, row: Row | undefined): string | undefined {
    const by = { DnsServer: "Domain", AcmeProvider: "Domain", Account: "Account" }[name];
    if (by === undefined) return undefined;
    const others = [...this.#rows(by).values()].filter((other) => other !== row);
    return others.some((other) => JSON.stringify(other).includes(`"${row?.id}"`)) ? by : undefined;
  }

  /** A reload builds everything anew, or keeps all of the old. */
  #action(args: Json): Json {
    const create = (args["create"] ?? {}) as Record<string, Json>;
    const [cid = "", action = {}] = Object.entries(create)[0] ?? [];
    if (action["@type"] !== "ReloadSettings") return { notCreated: { [cid]: { type: "invalidProperties" } } };
    const refuse = (object: string, row: Row, description: string) => {
      const objectId = { object, id: row.id };
      return { notCreated: { [cid]: { type: "validationFailed", objectId, description } } };
    };
    for (const [object, rows] of this.#stored)
      for (const row of rows.values())
        if (filesIn(row).some((file) => !this.readableFiles.has(file)))
          return refuse(object, row, "a secret file cannot be read");
    const consoles = [...this.#rows("Tracer").values()].filter(
      (row) => row["@type"] === "Stdout" && row["enable"] === true,
    );
    if (consoles[1]) return refuse("Tracer", consoles[1], "Only one console tracer is allowed");
    for (const object of this.#stored.keys()) if (!AT_START.has(object)) this.#force(object);
    return { created: { [cid]: { id: this.#id() } } };
  }
}

function filesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { "@type": type, filePath } = value as Json;
  return type === "File" ? [String(filePath)] : Object.values(value).flatMap(filesIn);
}

/** An address as it is written back: in its canonical spelling, a whole one without its length. */
function canonical(text: string): string {
  if (!ipaddr.isValidCIDR(text)) return ipaddr.isValid(text) ? spelled(ipaddr.parse(text)) : text;
  const [address, length] = ipaddr.parseCIDR(text);
  return spelled(address) + (length === (address.kind() === "ipv4" ? 32 : 128) ? "" : `/${length}`);
}

const spelled = (address: ipaddr.IPv4 | ipaddr.IPv6): string =>
  "isIPv4MappedAddress" in address && address.isIPv4MappedAddress()
    ? `::ffff:${address.toIPv4Address().toString()}`
    : address.toString();

/** The server writes contacts back as URIs, and addresses as canonical ones. */
function rewritten(name: string, value: Json): Json {
  const { contact, ...rest } = structuredClone(value);
  if (name === "AllowedIp" && "address" in rest) rest["address"] = canonical(String(rest["address"]));
  for (const set of ["overrideProxyTrustedNetworks", "proxyTrustedNetworks"])
    if (set in rest)
      rest[set] = Object.fromEntries(Object.keys(rest[set] as Json).map((key) => [canonical(key), true]));
  if (contact === undefined) return rest;
  const uris = Object.keys(contact as Json).map((c) => [c.startsWith("mailto:") ? c : `mailto:${c}`, true]);
  return { ...rest, contact: Object.fromEntries(uris) as Json };
}

/** A path of a patch names a part of a property: `credentials/0/secret`. */
function patched(row: Json, patch: Json): Json {
  const changes: Json = {};
  for (const [path, value] of Object.entries(patch)) {
    const [name = "", ...rest] = path.split("/");
    const last = rest.pop();
    if (last === undefined) {
      changes[name] = value;
      continue;
    }
    changes[name] ??= structuredClone(row[name] ?? {});
    let part = changes[name] as Json;
    for (const step of rest) part = (part[step] ??= {}) as Json;
    // Null takes a member away, of a list or a map.
    if (value === null && ["memberGroupIds", "quotas"].includes(name)) delete part[last];
    else part[last] = value;
  }
  return changes;
}

/** Another `@type` is another variant: of the old one nothing stays. */
function replace(row: Row, changes: Json, { variantDefaults }: FakeObject): void {
  if ("@type" in changes && changes["@type"] !== row["@type"]) {
    for (const key of Object.keys(row)) if (key !== "id") delete row[key];
    Object.assign(row, structuredClone(variantDefaults?.[String(changes["@type"])] ?? {}));
  }
  Object.assign(row, changes);
}

function masked(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const secret = ["Value", "Password"].includes(String((value as Json)["@type"])) && "secret" in value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, secret && key === "secret" ? MASK : masked(inner)]),
  );
}
