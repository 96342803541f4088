// `npm run adopt`: takes the tailnet's present policy file into a stack's state, once, before its first `up`.
import { spawnSync } from "node:child_process";

import { UserError } from "../lib/errors.ts";
import { importFile } from "./adopt-policy.ts";
import { labArguments } from "./arguments.ts";
import { runMain } from "./progress.ts";
import { PROJECT } from "./stack.ts";

const USAGE = `Usage: npm run adopt -- --stack STACK

Imports the tailnet's policy file into the stack's state, with your own Pulumi backend and
credentials. The provider never overwrites a policy that it has not read.`;

const { values } = labArguments(USAGE, { stack: { type: "string" } });

await runMain(async () => {
  const stack = values["stack"] as string | undefined;
  if (!stack) throw new UserError("which stack?", { hint: "npm run adopt -- --stack prod" });
  const { file, remove } = await importFile();
  const args = ["import", "--file", file, "--yes", "--generate-code=false", "--stack", stack];
  const done = spawnSync("pulumi", args, { cwd: PROJECT, stdio: "inherit" });
  await remove();
  if (done.error)
    throw new UserError("pulumi is not on PATH", { hint: "https://www.pulumi.com/docs/install/" });
  process.exitCode = done.status ?? 1;
});
