/** Stalwart's management API of 0.16 and later: registry objects behind POST /jmap. */
import { UserError } from "../../lib/errors.ts";
import { LABELS } from "../../lib/desired-state/registry/objects.ts";
import { UnreachableError } from "../server/pipe.ts";
import type { Transport } from "../server/transport.ts";
import { LoginError } from "../server/wait-until-ready.ts";

type Json = Record<string, unknown>;

/** A row as the server has it. */
export type Row = Json & { id: string };

/** Key of RegistryObjects → the live row. */
export type LiveRows = ReadonlyMap<string, Row>;

/** What one `x:Object/set` is to do. */
export interface Changes {
  create?: Record<string, Json>;
  update?: Record<string, Json>;
  destroy?: string[];
}

const USING = ["urn:ietf:params:jmap:core", "urn:stalwart:jmap"];
/** The id of an object's only row. */
const SINGLETON = "singleton";
/** Objects of which there are rows without a label. */
const UNLABELLED = ["Account", "BlockedIp", "QueuedMessage", "Task"];
const isSingleton = (object: string) => !(object in LABELS) && !UNLABELLED.includes(object);
const REQUEST_DEADLINE = 20_000;
/**
 * A server's maxCallsInRequest, unless it is told otherwise; a request with more is refused as a
 * whole.
 */
const MAX_CALLS = 16;
/** A server's maxObjectsInGet. */
const MAX_OBJECTS = 500;

/**
 * A set that the server has refused, or a part of it: HTTP says 200, the answer's `notCreated` and
 * the like say no.
 */
export class RefusedError extends UserError {
  /** Ids and creation ids of the rows that were refused; the others of the same set are stored. */
  readonly refused: readonly string[];

  constructor(message: string, path: string, refused: readonly string[]) {
    super(message, { path });
    this.refused = refused;
  }
}

export class RegistryApi {
  readonly transport: Transport;
  readonly #base: string;

  /** @param base as seen from inside the container, such as `http://127.0.0.1:8080` */
  constructor(transport: Transport, base: string) {
    this.transport = transport;
    this.#base = base.replace(/\/$/, "");
  }

  /** Whether it answers; see Askable. */
  ask(deadline: number): Promise<unknown> {
    return this.#ask([["x:SystemSettings/get", { ids: [SINGLETON] }]], deadline);
  }

  /** The row that each filter of the server's own finds, in as few requests as it takes. */
  async find(object: string, filters: readonly Json[]): Promise<(Row | undefined)[]> {
    const found: (string | undefined)[] = [];
    for (let at = 0; at < filters.length; at += MAX_CALLS) {
      const some = filters.slice(at, at + MAX_CALLS);
      const answers = await this.#ask(some.map((filter) => [`x:${object}/query`, { filter }]));
      found.push(...answers.map((answer) => ((answer["ids"] ?? []) as string[])[0]));
    }
    const ids = [...new Set(found.filter((id) => id !== undefined))];
    const rows = new Map<string, Row>();
    for (let at = 0; at < ids.length; at += MAX_OBJECTS) {
      const [answer] = await this.#ask([[`x:${object}/get`, { ids: ids.slice(at, at + MAX_OBJECTS) }]]);
      for (const row of (answer?.["list"] ?? []) as Row[]) rows.set(row.id, row);
    }
    return found.map((id) => (id === undefined ? undefined : rows.get(id)));
  }

  /**
   * Whether the API is logged in to by the administrator of last resort, who has no account and so
   * no address (common/src/cache/principals.rs).
   */
  async isLastResort(): Promise<boolean> {
    const where = `session of ${this.transport.name}`;
    const url = `${this.#base}/jmap/session`;
    const question = { where, method: "GET", url, deadline: REQUEST_DEADLINE };
    const { status, text } = await this.transport.ask(question);
    if (status !== 200) throw new Error(`${where}: HTTP ${status}`);
    return !String((JSON.parse(text) as Json)["username"]).includes("@");
  }

  /**
   * Every row of each object, or the one of a singleton, in as few requests as the server takes. A
   * singleton is in no list: a 0.16.18 gives it by its id alone, with its defaults where none is
   * stored.
   */
  async get(objects: readonly string[]): Promise<Record<string, Row[]>> {
    const found: Record<string, Row[]> = {};
    for (let at = 0; at < objects.length; at += MAX_CALLS) {
      const some = objects.slice(at, at + MAX_CALLS);
      const answers = await this.#ask(
        some.map((object) => [`x:${object}/get`, { ids: isSingleton(object) ? [SINGLETON] : null }]),
      );
      some.forEach((object, i) => (found[object] = (answers[i]?.["list"] ?? []) as Row[]));
    }
    return found;
  }

  /**
   * Creates, updates and destroys rows of one object.
   *
   * @param names id or creation id → how an error calls the row
   * @returns creation id → id
   * @throws RefusedError that names each object, property and reason; never a value
   */
  async set(
    object: string,
    changes: Changes,
    names: Record<string, string>,
  ): Promise<Record<string, string>> {
    const [answer = {}] = await this.#ask([[`x:${object}/set`, { ...changes }]]);
    const refused = ["notCreated", "notUpdated", "notDestroyed"].flatMap((list) =>
      Object.entries((answer[list] ?? {}) as Record<string, SetError>),
    );
    if (refused.length > 0) {
      const lines: string[] = [];
      for (const [id, error] of refused) {
        const about = error.objectId && (await this.#keyOf(error.objectId));
        lines.push(`${names[id] ?? `${object}/${id}`}: ${reasonOf(error, about)}`);
      }
      throw new RefusedError(
        `Stalwart in ${this.transport.name} refused to write settings:\n  ${lines.join("\n  ")}`,
        names[refused[0]?.[0] ?? ""] ?? object,
        refused.map(([id]) => id),
      );
    }
    const created = (answer["created"] ?? {}) as Record<string, { id: string }>;
    return Object.fromEntries(Object.entries(created).map(([cid, row]) => [cid, row.id]));
  }

  /**
   * Makes what is stored effective, all of it or nothing: with one object that cannot be built the
   * server keeps running on its old settings.
   *
   * @throws RefusedError that names what the server could not build
   */
  async reload(): Promise<void> {
    const create = { reload: { "@type": "ReloadSettings" } };
    await this.set("Action", { create }, { reload: "reload (the old settings stay in force)" });
  }

  /** A row by its label, as the declaration knows it. */
  async #keyOf({ object, id }: { object: string; id: string }): Promise<string> {
    const label = LABELS[object];
    if (label === undefined) return object;
    const [answer] = await this.#ask([[`x:${object}/get`, { ids: [id] }]]);
    const [row] = (answer?.["list"] ?? []) as Row[];
    return `${object}/${String(row?.[label] ?? id)}`;
  }

  /**
   * Several calls in one request. Each stands by itself: one that is refused does not stop the
   * next.
   */
  async #ask(calls: readonly [method: string, args: Json][], deadline = REQUEST_DEADLINE): Promise<Json[]> {
    const body = { using: USING, methodCalls: calls.map(([method, args], i) => [method, args, `c${i}`]) };
    const where = `${calls.map(([method]) => method).join(", ")} of ${this.transport.name}`;
    const { status, text } = await this.transport.ask({
      where,
      method: "POST",
      url: `${this.#base}/jmap`,
      body,
      deadline,
      repeatable: calls.every(([method]) => /\/(get|query)$/.test(method)),
    });
    if (status === 401 || status === 403)
      throw new LoginError(`${where}: HTTP ${status}: the API refuses its login`);
    let answer: Json;
    try {
      answer = JSON.parse(text) as Json;
    } catch {
      throw new Error(`${where}: HTTP ${status}, and no JSON`);
    }
    if (status >= 400)
      throw new Error(`${where}: HTTP ${status}: ${String(answer["detail"] ?? answer["title"] ?? "")}`);
    const responses = (answer["methodResponses"] ?? []) as [name: string, result: Json, id: string][];
    return calls.map(([method], i) => {
      const [name, result] = responses[i] ?? ["error", { type: "no answer" } as Json];
      // HTTP says 200 all the same.
      if (name === "error" && result["type"] === "serverUnavailable")
        throw new UnreachableError(`${where}: the server does not reach its data store (serverUnavailable)`);
      if (name === "error") throw new Error(`${method} of ${this.transport.name}: ${String(result["type"])}`);
      return result;
    });
  }
}

interface SetError {
  type: string;
  description?: string;
  properties?: string[];
  linkedObjects?: { object?: string }[];
  /** The row that it is about, where that is another than the one that was sent. */
  objectId?: { object: string; id: string };
  validationErrors?: { type: string; property: string; required?: unknown }[];
}

/** Why, without the value: a validation error repeats what was sent. */
function reasonOf(error: SetError, about?: string): string {
  const checks = (error.validationErrors ?? []).map(
    ({ type, property, required }) =>
      `${property} ${type}${required === undefined ? "" : ` (accepts ${String(required)})`}`,
  );
  const linked = error.linkedObjects?.map(({ object }) => object).join(", ");
  return [
    error.type,
    ...(error.properties?.length ? [error.properties.join(", ")] : []),
    ...checks,
    ...(linked ? [`still named by ${linked}`] : []),
    ...(about ? [about] : []),
    ...(error.description ? [error.description] : []),
  ].join(": ");
}
