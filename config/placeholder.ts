/**
 * Stands for a secret whose value is not needed, such as in a preview from nothing or in a check of
 * what runs. Every rule for secrets takes it: neither blank nor a mask, and base64, as the key of
 * rfc2136 must be.
 */
const PLACEHOLDER_SECRET = Buffer.from("no secret").toString("base64");

/**
 * What stands for one of the stack's secrets, as Pulumi would hand it over: of a map each value.
 *
 * @param config the stack's config as its file has it, by `tailwart:<key>`
 * @example placeholderOf("tailwart:postgresPassword", {}) === "bm8gc2VjcmV0"
 */
export function placeholderOf(key: string, config: Readonly<Record<string, unknown>>): string {
  if (key !== "tailwart:registryPasswords") return PLACEHOLDER_SECRET;
  const registries = (config["tailwart:registries"] ?? []) as { address?: unknown }[];
  return JSON.stringify(
    Object.fromEntries(registries.map(({ address }) => [String(address), PLACEHOLDER_SECRET])),
  );
}

/** Whether a value of a stack's config file is a secret, or holds one. */
export function isSecure(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return "secure" in value || Object.values(value).some(isSecure);
}

/**
 * Whether a secret that a file does not hold has a use there. One that nobody would send is
 * refused.
 *
 * @param name as `secretSchema` has it
 * @param config the stack's config as its file has it, by `tailwart:<key>`
 * @example hasUse("relayPassword", { "tailwart:relay": { host: "mailbox" } }) === false
 */
export function hasUse(name: string, config: Readonly<Record<string, unknown>>): boolean {
  const relay = config["tailwart:relay"] as { username?: unknown } | undefined;
  const settings = config["tailwart:settings"] as { inMemoryStore?: { username?: unknown } } | undefined;
  if (name === "relayPassword") return relay?.username !== undefined;
  if (name === "inMemoryStoreSecret") return settings?.inMemoryStore?.username !== undefined;
  return true;
}
