// `npm run docs`: writes the pages that are made from the code. A unit test fails while one of them
// is stale.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { configDoc } from "../config/doc.ts";
import { STACK_FILE_SCHEMA, stackFileSchema } from "../config/json-schema.ts";
import { settingsDoc } from "../lib/desired-state/doc.ts";
import { policiesDoc } from "../policies/doc.ts";
import { runMain } from "./parts/progress.ts";

const PROJECT = join(import.meta.dirname, "..");

await runMain(async () => {
  writeFileSync(join(PROJECT, "CONFIG.md"), configDoc());
  writeFileSync(join(PROJECT, "POLICIES.md"), policiesDoc());
  writeFileSync(join(PROJECT, "docs/settings.md"), settingsDoc());
  writeFileSync(join(PROJECT, STACK_FILE_SCHEMA), `${JSON.stringify(stackFileSchema(), null, 2)}\n`);
  console.log(`written: CONFIG.md, POLICIES.md, docs/settings.md, ${STACK_FILE_SCHEMA}`);
});
