/** Writes to a live registry, and takes them back. */
import { PartialError } from "../plugin/partial-error.ts";
import { type Changes, RefusedError, type RegistryApi } from "./jmap.ts";
import { isTwin, objectOf, readRows, type Write } from "./plan.ts";
import { referencesIn, withIds } from "./references.ts";

/** Writes of one object go together, in one request, as long as nothing comes between them. */
export function batches(writes: readonly Write[]): Write[][] {
  const all: Write[][] = [];
  for (const write of writes) {
    const last = all.at(-1);
    if (last?.[0] && objectOf(last[0].key) === objectOf(write.key)) last.push(write);
    else all.push([write]);
  }
  return all;
}

/**
 * One object's rows, in one request. Rows that they name are looked up anew, since these may just
 * have been made. Adds what was stored to `done`.
 */
export async function apply(
  api: RegistryApi,
  batch: readonly Write[],
  done: Write[],
  log: (message: string) => void,
): Promise<void> {
  log(batch.map(({ kind, key }) => `${kind} ${key}`).join(", "));
  const named = await readRows(
    api,
    batch.flatMap(({ properties }) => referencesIn(properties)),
  );
  const changes: Required<Changes> = { create: {}, update: {}, destroy: [] };
  const ids = new Map<string, Write>();
  batch.forEach((write, i) => {
    const { key, kind, properties, before } = write;
    const isNew = kind === "create" && key.includes("/");
    const id = isNew ? `row${i}` : (before?.id ?? "singleton");
    ids.set(id, write);
    if (kind === "destroy") changes.destroy.push(id);
    else changes[isNew ? "create" : "update"][id] = withIds(properties, named) as Record<string, unknown>;
  });
  const names = Object.fromEntries([...ids].map(([id, { key }]) => [id, key]));
  try {
    await api.set(objectOf(batch[0]?.key ?? ""), changes, names);
    done.push(...batch);
  } catch (error) {
    if (error instanceof RefusedError)
      done.push(...[...ids].filter(([id]) => !error.refused.includes(id)).map(([, write]) => write));
    throw error;
  }
}

/**
 * After a failure. What the server has refused to reload would come into force at its next start,
 * so nothing of a failed deploy stays stored.
 *
 * @throws PartialError when it could not be put back
 */
export async function undo(
  api: RegistryApi,
  done: readonly Write[],
  cause: unknown,
  log: (message: string) => void,
): Promise<void> {
  if (done.length === 0) return;
  log(`putting back ${done.map(({ key }) => key).join(", ")}`);
  try {
    for (const write of done.toReversed()) await revert(api, write);
    await api.reload();
  } catch (second) {
    throw new PartialError(cause, second);
  }
}

async function revert(api: RegistryApi, { key, kind, properties, before }: Write): Promise<void> {
  const object = objectOf(key);
  if (kind === "create") {
    const row = (await readRows(api, [key])).get(key);
    if (row) await api.set(object, { destroy: [row.id] }, { [row.id]: key });
    return;
  }
  // A server that had none was never set up, and takes no empty one (0.16.18); with a twin it takes
  // no reload.
  if (!before || isTwin(key) || (key === "SystemSettings" && !before["defaultDomainId"])) return;
  // What the server sets it takes from nobody: a list's address, a signature's public key.
  const { id, emailAddress: _, publicKey: __, createdAt: ___, ...whole } = before;
  // Of another variant every property comes back with its type, and none of the new one's.
  const anew = kind === "destroy" || ("@type" in properties && properties["@type"] !== whole["@type"]);
  const values = anew
    ? whole
    : Object.fromEntries(Object.keys(properties).map((name) => [name, whole[name] ?? null]));
  if (hidesSecret(values))
    throw new Error(`${key} held a secret that the API does not show, which has to be entered anew`);
  if (kind === "destroy") await api.set(object, { create: { row: values } }, { row: key });
  else await api.set(object, { update: { [id]: values } }, { [id]: key });
}

/**
 * Whether a value holds what the API shows in the place of a secret: written back, it would be the
 * secret (prelude.rs, `MASKED_PASSWORD`).
 */
function hidesSecret(value: unknown): boolean {
  if (typeof value === "string") return /^\*{4,}$/.test(value);
  return typeof value === "object" && value !== null && Object.values(value).some(hidesSecret);
}
