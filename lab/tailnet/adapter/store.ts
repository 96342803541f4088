import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** A login key, without its secret. */
export interface AuthKeyRecord {
  keyType: "auth";
  id: string;
  headscaleId: string;
  description: string;
  created: string;
  expires: string;
  expirySeconds: number;
  reusable: boolean;
  ephemeral: boolean;
  preauthorized: boolean;
  tags: string[];
  revoked?: string;
}

/** An OAuth client: of its secret only the hash is kept. */
export interface ClientRecord {
  keyType: "client";
  id: string;
  secretHash: string;
  scopes: string[];
  tags: string[];
  description: string;
  created: string;
  updated: string;
}

/** An access token that an OAuth client was given. */
export interface TokenRecord {
  hash: string;
  clientId: string;
  scopes: string[];
  expires: string;
}

export interface AdapterState {
  keys: (AuthKeyRecord | ClientRecord)[];
  tokens: TokenRecord[];
  magicDns: boolean;
  settings: Record<string, unknown>;
}

const EMPTY: AdapterState = { keys: [], tokens: [], magicDns: true, settings: {} };

/**
 * What headscale has no place for. One JSON file, replaced whole, so that a kill leaves the old or
 * the new one.
 */
export class Store {
  readonly #file: string;
  #state: AdapterState;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: string, state: AdapterState) {
    this.#file = file;
    this.#state = state;
  }

  static async open(file: string): Promise<Store> {
    await mkdir(dirname(file), { recursive: true });
    try {
      return new Store(file, {
        ...EMPTY,
        ...(JSON.parse(await readFile(file, "utf8")) as Partial<AdapterState>),
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Store(file, structuredClone(EMPTY));
      throw error;
    }
  }

  get state(): Readonly<AdapterState> {
    return this.#state;
  }

  /** Changes the state and writes it down before it is answered from. */
  async update(change: (state: AdapterState) => void): Promise<void> {
    await this.exclusively(async () => {
      const next = structuredClone(this.#state);
      change(next);
      const handle = await open(`${this.#file}.new`, "w", 0o600);
      try {
        await handle.writeFile(JSON.stringify(next, null, 2));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(`${this.#file}.new`, this.#file);
      this.#state = next;
    });
  }

  /** Runs one action at a time. */
  private async exclusively<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(action, action);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
