// `node tools/entry.mjs cli/federate.ts`, in a GitHub job with `id-token: write`: credentials for
// the steps after it, made from the job's own identity, so that none is kept as a secret.
import { appendFile } from "node:fs/promises";

import { UserError } from "../lib/errors.ts";
import { endpointsOf, federate } from "./parts/federation.ts";
import { runMain } from "./parts/progress.ts";

await runMain(async () => {
  const file = process.env["GITHUB_ENV"];
  if (!file) throw new UserError("this is for a job of GitHub Actions: GITHUB_ENV is not set");
  const made = Object.entries(await federate(process.env, endpointsOf(process.env)));
  // Before anything else can print one of them.
  for (const [, value] of made) console.log(`::add-mask::${value}`);
  await appendFile(file, made.map(([name, value]) => `${name}=${value}\n`).join(""));
  console.log(made.length > 0 ? `made: ${made.map(([name]) => name).join(", ")}` : "nothing to federate");
});
