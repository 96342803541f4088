import { z } from "zod";

import { secretSchema } from "./schema/secrets.ts";
import { withLinks } from "../lib/citations.ts";
import { NAMESPACE } from "./key-path.ts";
import { cell, table } from "../lib/markdown.ts";
import { metadataOf, unwrap, variantsOf } from "../lib/zod-metadata.ts";
import { configSchema } from "./schema.ts";

/** What a schema says about one key. */
interface Key {
  path: string;
  what: string;
  accepts: string;
  fallback: string;
  example: string;
}

/**
 * CONFIG.md: every key of the stack's config, made from the schema that checks it.
 *
 * @throws Error when a key says nothing about itself
 */
export function configDoc(): string {
  const keys = keysOf(configSchema, "");
  const secrets = Object.entries(secretSchema.shape).map(([name, schema]) => {
    const needed = schema.safeParse(undefined).success ? "" : " Required.";
    return [`\`${NAMESPACE}:${name}\``, `${schema.description}${needed}`];
  });
  const page = `<!-- Made by \`npm run docs\` from config/schema.ts. -->
# Config

Keys of \`Pulumi.<stack>.yaml\`. A key with dots is a map: \`${NAMESPACE}:postgres.host\` is \`host\` below
\`${NAMESPACE}:postgres\`. A wrong or unknown key is refused before anything is registered.

${table(["key", "what", "accepts", "default", "example"], keys.map(rowOf))}

## Secrets
Set with \`pulumi config set --secret KEY\`; a plain value is refused.

${table(["key", "what"], secrets)}
`;
  return withLinks(page, "");
}

const rowOf = ({ path, what, accepts, fallback, example }: Key) => [
  `\`${NAMESPACE}:${path}\``,
  what,
  accepts,
  fallback,
  example,
];

/** The leaves below a schema: maps and lists of maps are gone into. */
function keysOf(schema: z.ZodType, path: string): Key[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, value]) =>
      keysOf(value, path === "" ? key : `${path}.${key}`),
    );
  }
  const own = keyOf(schema, path);
  if (inner instanceof z.ZodDiscriminatedUnion) return [own, ...keysOfVariants(inner, path)];
  const element = inner instanceof z.ZodArray ? (inner.element as z.ZodType) : undefined;
  return element && unwrap(element) instanceof z.ZodObject ? [own, ...keysOf(element, `${path}[]`)] : [own];
}

/** What each variant of a union has beside its name. */
function keysOfVariants(union: z.ZodDiscriminatedUnion, path: string): Key[] {
  return variantsOf(union).flatMap(({ shape }) => {
    const { [union.def.discriminator]: tag, ...rest } = shape;
    const variant = String(tag instanceof z.ZodLiteral ? tag.value : "");
    return Object.entries(rest)
      .flatMap(([key, value]) => keysOf(value, `${path}.${key}`))
      .map((key) => ({ ...key, what: `${variant}: ${key.what}` }));
  });
}

function keyOf(schema: z.ZodType, path: string): Key {
  const meta = metadataOf(schema);
  if (!meta.description || !meta.accepts || meta.examples?.[0] === undefined)
    throw new Error(`config/schema.ts: ${path} lacks a description, what it accepts, or an example`);
  const absent = schema.safeParse(undefined);
  const fallback = !absent.success ? "required" : absent.data === undefined ? "none" : code(absent.data);
  return {
    path,
    what: cell(meta.description),
    accepts: cell(meta.accepts),
    fallback,
    example: code(meta.examples[0]),
  };
}

const code = (value: unknown) => `\`${cell(typeof value === "string" ? value : JSON.stringify(value))}\``;
