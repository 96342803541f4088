/**
 * A fake of Stalwart's registry API (0.16 and later), which no package registry has: POST /jmap on loopback, small and strict. It answers as the sources
 * say that the real one does: sets as objects of `true`s, refusals as HTTP 200 with notCreated and the like, masked secrets, properties that cannot
 * be changed, a reload of all or nothing, and some objects that wait for a restart. What it does not know it refuses.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { checkChange, checkProperties, type HasRow, type SetError } from "./fake-registry-checks.ts";
import type { FakeObject } from "./fake-registry-kinds.ts";
import { AT_START, FAKE_OBJECTS } from "./fake-registry-schema.ts";

type Json = Record<string, unknown>;
type Row = Json & { id: string };

const MASK = "****";

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
  #server: Server | undefined;
  /** Answers that are still given before the connection is cut, as by a kill of the client. */
  answersLeft = Number.POSITIVE_INFINITY;
  /** HTTP requests that were answered; one may carry several calls. */
  answers = 0;
  restarts = 0;

  constructor() {
    for (const [name, object] of Object.entries(FAKE_OBJECTS)) {
      const rows = new Map<string, Row>();
      if (object.singleton)
        rows.set("singleton", { ...structuredClone(object.defaults ?? {}), id: "singleton" });
      this.#stored.set(name, rows);
    }
    this.restart();
    this.restarts = 0;
  }

  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        if (this.answersLeft-- <= 0) return void request.socket.destroy();
        this.answers++;
        if (request.method !== "POST" || request.url !== "/jmap")
          return void response.writeHead(404).end("{}");
        if (!/^Basic /.test(request.headers.authorization ?? ""))
          return void response.writeHead(401).end(JSON.stringify({ title: "Unauthorized" }));
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(this.#answer(JSON.parse(body) as Json)));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** The server is started anew: everything that is stored comes into force. */
  restart(): void {
    this.restarts++;
    for (const object of this.#stored.keys()) this.#force(object);
  }

  /** Rows as they are in force, secrets unmasked; what a reload or a restart has not taken up is not in them. */
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
    return { methodResponses: calls.map(([method, args, id]) => this.#call(method, args, id)) };
  }

  #call(method: string, args: Json, id: string): [string, Json, string] {
    const [, object = "", verb = ""] = /^x:(\w+)\/(get|set)$/.exec(method) ?? [];
    this.requests.push(`${verb} ${object}`);
    if (object === "Action" && verb === "set") return [method, this.#action(args), id];
    if (!(object in FAKE_OBJECTS)) return ["error", { type: "unknownMethod" }, id];
    if (verb === "get") {
      const list = [...this.#rows(object).values()].map((row) => masked(row));
      return [method, { list, notFound: [] }, id];
    }
    return [method, this.#set(object, args), id];
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
        rows.set(id, { ...structuredClone(object.defaults ?? {}), ...rewritten(value), id });
        answer.created[cid] = { id };
      }
    }
    for (const [id, changes] of Object.entries((args["update"] ?? {}) as Record<string, Json>)) {
      const row = rows.get(id);
      const problem = row
        ? (checkChange(object, row, changes, this.#has) ?? this.#checkProof(name, { ...row, ...changes }))
        : { type: "notFound" };
      if (problem) refused.notUpdated[id] = problem;
      else {
        replace(row as Row, rewritten(changes));
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
    return { ...answer, ...refused };
  }

  #checkNew(name: string, object: FakeObject, value: Json): SetError | undefined {
    const problem =
      checkProperties(object, value, String(value["@type"] ?? ""), this.#has) ??
      this.#checkProof(name, value);
    if (problem || object.primaryKey === undefined) return problem;
    const key = object.primaryKey;
    const taken = [...this.#rows(name).values()].find((row) => row[key] === value[key]);
    return taken ? { type: "primaryKeyViolation", properties: [key] } : undefined;
  }

  readonly #has: HasRow = (object, id) => this.#rows(object).has(id);

  /** What the server tries out before it stores a row (jmap/src/registry/mapping: domain.rs, tls.rs). */
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

  #linksTo(name: string, row: Row | undefined): string | undefined {
    if (name !== "DnsServer" && name !== "AcmeProvider") return undefined;
    const domains = [...this.#rows("Domain").values()];
    return domains.some((domain) => JSON.stringify(domain).includes(`"${row?.id}"`)) ? "Domain" : undefined;
  }

  /** A reload builds everything anew, or keeps all of the old. */
  #action(args: Json): Json {
    const create = (args["create"] ?? {}) as Record<string, Json>;
    const [cid = "", action = {}] = Object.entries(create)[0] ?? [];
    if (action["@type"] !== "ReloadSettings") return { notCreated: { [cid]: { type: "invalidProperties" } } };
    const unreadable = [...this.#stored].find(([, rows]) =>
      [...rows.values()].some((row) => filesIn(row).some((file) => !this.readableFiles.has(file))),
    );
    if (unreadable) {
      const description = `${unreadable[0]}: a secret file cannot be read`;
      return { notCreated: { [cid]: { type: "validationFailed", description } } };
    }
    for (const object of this.#stored.keys()) if (!AT_START.has(object)) this.#force(object);
    return { created: { [cid]: { id: this.#id() } } };
  }
}

function filesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { "@type": type, filePath } = value as Json;
  return type === "File" ? [String(filePath)] : Object.values(value).flatMap(filesIn);
}

/** The server writes contacts back as URIs. */
function rewritten(value: Json): Json {
  const { contact, ...rest } = structuredClone(value);
  if (contact === undefined) return rest;
  const uris = Object.keys(contact as Json).map((c) => [c.startsWith("mailto:") ? c : `mailto:${c}`, true]);
  return { ...rest, contact: Object.fromEntries(uris) as Json };
}

/** Another `@type` is another variant: of the old one nothing stays. */
function replace(row: Row, changes: Json): void {
  if ("@type" in changes && changes["@type"] !== row["@type"])
    for (const key of Object.keys(row)) if (key !== "id") delete row[key];
  Object.assign(row, changes);
}

function masked(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const secret = (value as Json)["@type"] === "Value" && "secret" in value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, secret && key === "secret" ? MASK : masked(inner)]),
  );
}
