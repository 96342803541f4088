import { z } from "zod";

import { secretSchema } from "./schema/secrets.ts";
import { NAMESPACE } from "./key-path.ts";
import { configSchema } from "./schema.ts";

type Json = Record<string, unknown>;

/** Where the schema is written, from the project's folder. */
export const STACK_FILE_SCHEMA = "config/stack-file.schema.json";

/** As `pulumi config set --secret` leaves it in the file. */
const SECURE: Json = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
};

/**
 * A JSON schema of `Pulumi.<stack>.yaml`, for editors: what the config accepts, key by key, with
 * the words of CONFIG.md. What takes more than one key to see is said by `pulumi preview` alone.
 * Secrets are not demanded, since they are set after the file is written; a plain one is refused.
 *
 * @example stackFileSchema().properties.config.properties["tailwart:domains"]
 */
export function stackFileSchema(): Json {
  const options = { target: "draft-7", io: "input", unrepresentable: "any" } as const;
  const { properties = {}, required = [] } = z.toJSONSchema(configSchema, options);
  const plain = Object.entries(properties).map(([key, schema]) => [`${NAMESPACE}:${key}`, schema]);
  const secrets = Object.entries(secretSchema.shape).map(([key, { description }]) => [
    `${NAMESPACE}:${key}`,
    { description, anyOf: [SECURE, { type: "object", additionalProperties: SECURE, minProperties: 1 }] },
  ]);
  const config = {
    type: "object",
    properties: Object.fromEntries([...plain, ...secrets]) as Json,
    required: required.map((key) => `${NAMESPACE}:${key}`),
    // Keys of the providers, such as tailscale:oauthClientId.
    patternProperties: { [`^(?!${NAMESPACE}:)`]: {} },
    additionalProperties: false,
  };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A stack of tailwart: Pulumi.<stack>.yaml",
    type: "object",
    properties: { config },
    required: ["config"],
  };
}
