import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { PAGES } from "../../../cli/docs/pages.ts";
import { configDoc } from "../../../config/doc.ts";
import { metadataOf, placesOf } from "../../../lib/zod-metadata.ts";
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
  const wrong = placesOf(configSchema).flatMap(({ schema, steps }) => {
    const { examples = [] } = metadataOf(schema);
    return examples.filter((example) => !schema.safeParse(example).success).map(() => steps);
  });
  expect(wrong).toEqual([]);
});

test("every policy has a section in POLICIES.md with its settings", () => {
  for (const { id, settings } of allPolicies) {
    expect(policiesDoc()).toContain(`## ${id}\n`);
    for (const key of Object.keys(settings?.schema.properties ?? {}))
      expect(policiesDoc()).toContain(`\`${id}.${key}\``);
  }
});
