import { z } from "zod";

/**
 * A secret as it was meant: what an admin UI shows in its place, or a line break from a file, is
 * none.
 */
const secret = z
  .string()
  .min(1)
  .refine((text) => text.trim() === text && !/^[*\u2022]+$/.test(text), {
    error:
      "is blank, begins or ends with blanks or a line break, or is the mask that an admin UI shows (lesson 2); accepts the secret itself",
  });

/**
 * A map of secrets arrives as JSON, also where `pulumi config set --secret --path` has set one of
 * them alone.
 */
const secretMap = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: "is text; accepts a map of secrets" });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), secret, { error: "is no map; accepts a map of secrets" }));

/** Secrets: flat keys, so that `pulumi config set --secret` is all that is needed. */
export const secretSchema = z.strictObject({
  postgresPassword: secret.describe("Password of the Postgres role."),
  relayPassword: secret.optional().describe("Password of relay.username."),
  dnsSecret: secret
    .optional()
    .describe(
      "Key of dnsProvider: the TSIG key in base64 (rfc2136), the API token or key, the secret of spaceship's API key, or ovh's application secret. Required with dnsProvider.",
    ),
  blobStoreSecret: secret.optional().describe("Secret access key of settings.blobStore. Required with it."),
  inMemoryStoreSecret: secret
    .optional()
    .describe("Password of settings.inMemoryStore.username. Required with it."),
  dnsConsumerKey: secret.optional().describe("Consumer key of ovh. Required with it."),
  registryPasswords: secretMap
    .optional()
    .describe(
      "Passwords or tokens of tailwart:registries, by address. Set each alone: `pulumi config set --secret --path 'tailwart:registryPasswords[\"ghcr.io\"]'`.",
    ),
});
