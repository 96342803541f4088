// Entry of the directory form. run-policy-pack require()s it with ts-node registered, which cannot
// load ESM TypeScript; import() goes through Node's own loader, which can (Node >= 22.18). No
// top-level await: a module with one cannot be require()d.
import { existsSync } from "node:fs";

// As in tailwart-policies: a package holds compiled files.
const hasSources = existsSync(new URL("pack.ts", import.meta.url));
import(hasSources ? "./pack.ts" : "./dist/policies/pack.js").catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
