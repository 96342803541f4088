/** Stalwart's management API of 0.16 and later: registry objects behind POST /jmap. */
import { UserError } from "../../lib/errors.ts";
import { askServer } from "../http.ts";
import type { Transport } from "../transport.ts";

type Json = Record<string, unknown>;

/** A row as the server has it. */
export type Row = Json & { id: string };

/** What one `x:Object/set` is to do. */
export interface Changes {
  create?: Record<string, Json>;
  update?: Record<string, Json>;
  destroy?: string[];
}

const USING = ["urn:ietf:params:jmap:core", "urn:stalwart:jmap"];
const REQUEST_DEADLINE = 20_000;

/** A set that the server has refused, or a part of it: HTTP says 200, the answer's `notCreated` and the like say no. */
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
    return this.#ask([["x:SystemSettings/get", { ids: null }]], deadline);
  }

  /** Every row of each object, or the one of a singleton, in one request. */
  async get(objects: readonly string[]): Promise<Record<string, Row[]>> {
    if (objects.length === 0) return {};
    const answers = await this.#ask(objects.map((object) => [`x:${object}/get`, { ids: null }]));
    return Object.fromEntries(objects.map((object, i) => [object, (answers[i]?.["list"] ?? []) as Row[]]));
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
      const lines = refused.map(([id, error]) => `${names[id] ?? `${object}/${id}`}: ${reasonOf(error)}`);
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
   * Makes what is stored effective, all of it or nothing: with one object that cannot be built the server keeps running on its old settings.
   *
   * @throws RefusedError that names what the server could not build
   */
  async reload(): Promise<void> {
    const create = { reload: { "@type": "ReloadSettings" } };
    await this.set("Action", { create }, { reload: "reload (the old settings stay in force)" });
  }

  /** Several calls in one request. Each stands by itself: one that is refused does not stop the next. */
  async #ask(calls: readonly [method: string, args: Json][], deadline = REQUEST_DEADLINE): Promise<Json[]> {
    const body = { using: USING, methodCalls: calls.map(([method, args], i) => [method, args, `c${i}`]) };
    const where = `${calls.map(([method]) => method).join(", ")} of ${this.transport.name}`;
    const { status, text } = await askServer(this.transport, {
      where,
      method: "POST",
      url: `${this.#base}/jmap`,
      body,
      deadline,
    });
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
  validationErrors?: { type: string; property: string; required?: unknown }[];
}

/** Why, without the value: a validation error repeats what was sent. */
function reasonOf(error: SetError): string {
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
    ...(error.description ? [error.description] : []),
  ].join(": ");
}
