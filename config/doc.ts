import type { z } from "zod";

import { secretSchema } from "./schema/secrets.ts";
import { withLinks } from "../lib/citations.ts";
import { NAMESPACE } from "./key-path.ts";
import { cell, table } from "../lib/markdown.ts";
import { metadataOf, partsOf, placesOf, type Step } from "../lib/zod-metadata.ts";
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
  const keys = keysOf(configSchema);
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

/** Every key that is no map, and what the entries of a list and the variants of a union have. */
function keysOf(schema: z.ZodType): Key[] {
  return placesOf(schema).flatMap(({ steps, schema: own }) => {
    const [union, last] = [steps.at(-2), steps.at(-1)];
    if (last?.kind !== "key" || partsOf(own)[0]?.step.kind === "key") return [];
    if (union?.kind === "variant" && union.tag === last.name) return [];
    const variant = steps.flatMap((step) => (step.kind === "variant" ? `${step.name}: ` : [])).join("");
    const key = keyOf(own, steps.map(written).join("").slice(1));
    return [{ ...key, what: variant + key.what }];
  });
}

const written = (step: Step) => (step.kind === "key" ? `.${step.name}` : step.kind === "entry" ? "[]" : "");

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
