// `npm run docs`: writes the pages that are made from the code. A unit test fails while one of them
// is stale.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { PAGES } from "./docs/pages.ts";
import { runMain } from "./parts/progress.ts";

await runMain(async () => {
  for (const [path, page] of Object.entries(PAGES))
    writeFileSync(join(import.meta.dirname, "..", path), page());
  console.log(`written: ${Object.keys(PAGES).join(", ")}`);
});
