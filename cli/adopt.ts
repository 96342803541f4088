// `npm run adopt`: takes the tailnet's present policy file into a stack's state, once, before its first `up`.
import { spawnSync } from "node:child_process";

import { UserError } from "../lib/errors.ts";
import { importFile } from "./adopt-policy.ts";
import { labArguments, wrongUsage } from "./arguments.ts";
import { runMain } from "./progress.ts";
import { PROJECT } from "./stack.ts";

const USAGE = `Usage: npm run adopt -- --stack STACK

Imports the tailnet's policy file into the stack's state, once, before its first
\`up\`, with your own Pulumi backend and credentials. The provider never
overwrites a policy that it has not read. (In the lab, \`npm run up\` does it.)`;

const { values } = labArguments(USAGE, { stack: { type: "string" } });

await runMain(async () => {
  const stack = values["stack"] as string | undefined;
  if (!stack) return wrongUsage("--stack is missing; write: npm run adopt -- --stack prod", USAGE);
  const { file, remove } = await importFile();
  const args = ["import", "--file", file, "--yes", "--generate-code=false", "--stack", stack];
  const done = spawnSync("pulumi", args, { cwd: PROJECT, stdio: "inherit" });
  await remove();
  if (done.error)
    throw new UserError("pulumi is not on PATH", { hint: "https://www.pulumi.com/docs/install/" });
  process.exitCode = done.status ?? 1;
});
