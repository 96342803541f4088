import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";

import { PAGES } from "../../../cli/docs/pages.ts";
import { configDoc } from "../../../config/doc.ts";
import { configSchema } from "../../../config/schema.ts";
import { allPolicies } from "../../../policies/rules/index.ts";
import { policiesDoc } from "../../../policies/doc.ts";

test.each(Object.entries(PAGES))(
  "%s is what the code says now; otherwise run: npm run docs",
  (path, made) => {
    expect(readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")).toBe(made());
  },
);

test("every key at the top of the schema is in CONFIG.md", () => {
  for (const key of Object.keys(configSchema.shape)) expect(configDoc()).toContain(`tailwart:${key}`);
});

test("every example of a key is accepted by the key itself", () => {
  const wrong: string[] = [];
  const walk = (schema: z.ZodType, path: string): void => {
    const { examples } = (schema.meta() ?? {}) as { examples?: unknown[] };
    for (const example of examples ?? []) if (!schema.safeParse(example).success) wrong.push(path);
    const inner = (schema.def as { innerType?: z.ZodType }).innerType;
    if (inner) walk(inner, path);
    if (schema instanceof z.ZodDiscriminatedUnion)
      for (const variant of schema.options) walk(variant as z.ZodType, path);
    if (schema instanceof z.ZodArray) walk(schema.element as z.ZodType, `${path}[]`);
    if (schema instanceof z.ZodObject)
      for (const [key, value] of Object.entries(schema.shape)) walk(value as z.ZodType, `${path}.${key}`);
  };
  walk(configSchema, "tailwart");
  expect(wrong).toEqual([]);
});

test("every policy has a section in POLICIES.md with its settings", () => {
  for (const { id, settings } of allPolicies) {
    expect(policiesDoc()).toContain(`## ${id}\n`);
    for (const key of Object.keys(settings?.schema.properties ?? {}))
      expect(policiesDoc()).toContain(`\`${id}.${key}\``);
  }
});
