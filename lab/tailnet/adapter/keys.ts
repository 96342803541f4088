import { authorize, hashOf, newId, newSecret, type Actor } from "./access.ts";
import { ApiError } from "./api-error.ts";
import type { HeadscaleApi } from "./headscale-api.ts";
import { descriptionOf, expiryOf, stringList, type KeyRequest } from "./key-request.ts";
import type { Policy } from "./policy.ts";
import type { AuthKeyRecord, ClientRecord, Store } from "./store.ts";

/** Scopes that make or own devices: such a client must say with which tags. */
const SCOPES_WITH_TAGS = ["auth_keys", "devices:core"];

/** Login keys, which headscale knows, and OAuth clients, which only the adapter knows. */
export class Keys {
  readonly #headscale: HeadscaleApi;
  readonly #policy: Policy;
  readonly #store: Store;
  readonly #user: string;

  /** @param user headscale's user who owns the nodes of keys without tags */
  constructor(headscale: HeadscaleApi, policy: Policy, store: Store, user: string) {
    this.#headscale = headscale;
    this.#policy = policy;
    this.#store = store;
    this.#user = user;
  }

  async create(request: KeyRequest, actor: Actor): Promise<object> {
    const keyType = request.keyType ?? "auth";
    if (keyType === "auth") return this.#createAuthKey(request, actor);
    if (keyType === "client") return this.#createClient(request, actor);
    throw new ApiError(400, `keyType "${String(keyType)}" is not supported`);
  }

  async #createAuthKey(request: KeyRequest, actor: Actor): Promise<object> {
    authorize(actor, ["auth_keys"], false);
    const create = request.capabilities?.devices?.create;
    if (!create) throw new ApiError(400, "capabilities.devices.create is required");
    const tags = stringList(create.tags, "tags");
    const description = descriptionOf(request.description);
    const expirySeconds = expiryOf(request.expirySeconds);
    await this.#checkTags(tags, actor);

    const now = Date.now();
    const [reusable, ephemeral] = [create.reusable === true, create.ephemeral === true];
    const expires = new Date(now + expirySeconds * 1000).toISOString();
    // headscale knows no key without an owner: without tags it is a person's.
    const owner = tags.length === 0 ? { user: await this.#userId() } : {};
    const made = await this.#headscale.createKey({
      ...owner,
      reusable,
      ephemeral,
      aclTags: tags,
      expiration: expires,
    });
    const record: AuthKeyRecord = {
      keyType: "auth",
      id: newId(),
      headscaleId: made.id,
      description,
      created: new Date(now).toISOString(),
      expires,
      expirySeconds,
      reusable,
      ephemeral,
      preauthorized: create.preauthorized === true,
      tags,
    };
    await this.#store.update((state) => state.keys.push(record));
    return { ...authKeyAnswer(record, false), key: made.key };
  }

  async #createClient(request: KeyRequest, actor: Actor): Promise<object> {
    authorize(actor, ["oauth_keys"], false);
    const fields = await this.#clientFields(request, actor);
    const [id, now] = [newId(), new Date().toISOString()];
    const secret = `tskey-client-${id}-${newSecret()}`;
    const record: ClientRecord = {
      keyType: "client",
      id,
      secretHash: hashOf(secret),
      ...fields,
      created: now,
      updated: now,
    };
    await this.#store.update((state) => state.keys.push(record));
    return { ...clientAnswer(record), key: secret };
  }

  /** Replaces an OAuth client's scopes, tags and description; the secret stays. */
  async replace(id: string, request: KeyRequest, actor: Actor): Promise<object> {
    authorize(actor, ["oauth_keys"], false);
    const found = this.#find(id);
    if (found.keyType !== "client") throw new ApiError(400, "only OAuth clients can be changed");
    const fields = await this.#clientFields(request, actor);
    const next = { ...found, ...fields, updated: new Date().toISOString() };
    await this.#store.update((state) => {
      state.keys = state.keys.map((key) => (key.id === id ? next : key));
    });
    return clientAnswer(next);
  }

  async get(id: string): Promise<object> {
    const record = this.#find(id);
    if (record.keyType === "client") return clientAnswer(record);
    const theirs = (await this.#headscale.keys()).find((key) => key.id === record.headscaleId);
    if (!theirs) throw new ApiError(404, "key not found");
    const spent = theirs.used && !record.reusable;
    return authKeyAnswer(record, spent || isPast(theirs.expiration ?? record.expires));
  }

  list(): object {
    const live = this.#store.state.keys.filter(
      (key) => key.keyType === "client" || (!key.revoked && !isPast(key.expires)),
    );
    return { keys: live.map(({ id, keyType, description }) => ({ id, keyType, description })) };
  }

  /**
   * Revokes. A revoked login key can still be asked for and is `invalid`; an OAuth client is gone,
   * with its tokens.
   */
  async delete(id: string, actor: Actor): Promise<void> {
    const record = this.#find(id);
    authorize(actor, [record.keyType === "client" ? "oauth_keys" : "auth_keys"], false);
    if (record.keyType === "auth") {
      if (record.revoked) throw new ApiError(404, "key not found");
      await this.#headscale.expireKey(record.headscaleId);
    }
    await this.#store.update((state) => {
      state.keys = state.keys.flatMap((key) => {
        if (key.id !== id) return [key];
        return key.keyType === "client" ? [] : [{ ...key, revoked: new Date().toISOString() }];
      });
      state.tokens = state.tokens.filter(({ clientId }) => clientId !== id);
    });
  }

  #find(id: string): AuthKeyRecord | ClientRecord {
    const found = this.#store.state.keys.find((key) => key.id === id);
    if (!found) throw new ApiError(404, "key not found");
    return found;
  }

  async #clientFields(request: KeyRequest, actor: Actor) {
    const scopes = stringList(request.scopes, "scopes");
    const tags = stringList(request.tags, "tags");
    if (scopes.length === 0) throw new ApiError(400, "scopes are required");
    const needy = scopes.find((scope) => SCOPES_WITH_TAGS.includes(scope));
    if (needy && tags.length === 0) throw new ApiError(400, `tags are required for scope "${needy}"`);
    await this.#checkTags(tags, actor);
    return { scopes, tags, description: descriptionOf(request.description) };
  }

  /**
   * headscale looks only at a tag's spelling. The real service wants each tag in tagOwners, and of
   * an OAuth client its own tags exactly, or tags that are owned by one of them.
   */
  async #checkTags(tags: readonly string[], actor: Actor): Promise<void> {
    const owners = await this.#policy.tagOwners();
    const unknown = tags.filter((tag) => !(tag in owners));
    const own = actor.tags;
    const isOwnSet = own?.length === tags.length && tags.every((tag) => own.includes(tag));
    const notOwned =
      !own || isOwnSet ? [] : tags.filter((tag) => !owners[tag]?.some((owner) => own.includes(owner)));
    const wrong = [...new Set([...unknown, ...notOwned])];
    if (wrong.length > 0)
      throw new ApiError(400, `requested tags [${wrong.join(" ")}] are invalid or not permitted`);
    if (own && tags.length === 0)
      throw new ApiError(400, "tags are required for keys made by an OAuth client");
  }

  async #userId(): Promise<string> {
    const [user] = await this.#headscale.users(this.#user);
    if (!user)
      throw new ApiError(
        400,
        `a key without tags needs the user "${this.#user}", whom the control server does not know`,
      );
    return user.id;
  }
}

function authKeyAnswer(record: AuthKeyRecord, invalid: boolean): object {
  const { headscaleId: _ours, reusable, ephemeral, preauthorized, tags, ...answer } = record;
  return {
    ...answer,
    invalid: invalid || record.revoked !== undefined,
    capabilities: { devices: { create: { reusable, ephemeral, preauthorized, tags } } },
  };
}

function clientAnswer({ id, description, created, updated, scopes, tags }: ClientRecord): object {
  return { id, keyType: "client", description, created, updated, scopes, tags, invalid: false };
}

function isPast(time: string): boolean {
  return Date.parse(time) <= Date.now();
}
