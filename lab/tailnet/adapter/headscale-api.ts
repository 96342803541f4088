import { readFile } from "node:fs/promises";

interface HeadscaleKey {
  id: string;
  key: string;
  reusable: boolean;
  ephemeral: boolean;
  used: boolean;
  expiration?: string;
  aclTags: string[];
}

export interface HeadscaleNode {
  id: string;
  machineKey: string;
  nodeKey: string;
  ipAddresses: string[];
  /** What the node calls itself. */
  name: string;
  /** The first label of its MagicDNS name, made unique by a suffix. */
  givenName: string;
  user?: { name?: string };
  lastSeen?: string;
  expiry?: string;
  createdAt: string;
  online: boolean;
  tags: string[];
  preAuthKey?: { ephemeral?: boolean };
  approvedRoutes: string[];
  availableRoutes: string[];
}

/** An error answer of headscale, with its own text. */
export class HeadscaleError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "HeadscaleError";
    this.status = status;
  }
}

/** headscale answers from memory and sqlite on the same machine. Milliseconds. */
const TIMEOUT = 15_000;

/**
 * headscale 0.29's REST API. uint64 are strings in its JSON; a field with its zero value may be
 * missing.
 *
 * @see https://github.com/juanfont/headscale/tree/v0.29.3/proto/headscale/v1
 */
export class HeadscaleApi {
  readonly #url: string;
  readonly #keyFile: string;

  constructor(url: string, keyFile: string) {
    this.#url = url;
    this.#keyFile = keyFile;
  }

  /** The stored policy's exact bytes, or undefined when none was ever stored. */
  async policy(): Promise<string | undefined> {
    try {
      const { policy } = await this.#call<{ policy?: string }>("GET", "policy");
      return policy || undefined;
    } catch (error) {
      if (error instanceof HeadscaleError && error.message.includes("acl policy not found")) return undefined;
      throw error;
    }
  }

  /** Judges a policy, `tests` included, against the nodes of this moment. Throws the reason. */
  async checkPolicy(policy: string): Promise<void> {
    await this.#call("POST", "policy/check", { policy });
  }

  async setPolicy(policy: string): Promise<void> {
    await this.#call("PUT", "policy", { policy });
  }

  async users(name: string): Promise<{ id: string }[]> {
    const path = `user?name=${encodeURIComponent(name)}`;
    return (await this.#call<{ users?: { id: string }[] }>("GET", path)).users ?? [];
  }

  /**
   * A login key. The expiration is always sent: left out, it would be in the year 1
   * (types/preauth_key.go).
   */
  async createKey(key: {
    user?: string;
    reusable: boolean;
    ephemeral: boolean;
    aclTags: string[];
    expiration: string;
  }): Promise<HeadscaleKey> {
    return (await this.#call<{ preAuthKey: HeadscaleKey }>("POST", "preauthkey", key)).preAuthKey;
  }

  async keys(): Promise<HeadscaleKey[]> {
    return (await this.#call<{ preAuthKeys?: HeadscaleKey[] }>("GET", "preauthkey")).preAuthKeys ?? [];
  }

  /**
   * Ends a key. Not by deleting it: that would unlink its nodes, and a node is ephemeral only
   * through its key (db/preauth_keys.go, types/node.go).
   */
  async expireKey(id: string): Promise<void> {
    await this.#call("POST", "preauthkey/expire", { id });
  }

  async nodes(): Promise<HeadscaleNode[]> {
    return (await this.#call<{ nodes?: HeadscaleNode[] }>("GET", "node")).nodes ?? [];
  }

  async deleteNode(id: string): Promise<void> {
    await this.#call("DELETE", `node/${id}`);
  }

  /** One of the node's settable properties, such as `tags` with `{tags}`. */
  async changeNode(id: string, action: string, body?: unknown): Promise<HeadscaleNode> {
    return (await this.#call<{ node: HeadscaleNode }>("POST", `node/${id}/${action}`, body ?? {})).node;
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const key = (await readFile(this.#keyFile, "utf8")).trim();
    const response = await fetch(`${this.#url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text || "{}") as T;
    throw new HeadscaleError(response.status, messageOf(text));
  }
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text.trim();
  }
}
