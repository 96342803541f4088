import type { Config } from "../../config/schema.ts";
import { runCommand } from "../../lib/run-command.ts";
import { openRunningLab } from "./open-lab.ts";
import { PROJECT, pulumi } from "./pulumi-cli.ts";

/** What Pulumi is asked for; no secret is among it. */
const OUTPUT = ["stack", "output", "dkimRecords", "--json", "--stack"];

/**
 * The DKIM records of a stack, selector → text, from its state; {} before its first deploy, and
 * where the state cannot be read. Without a selector in the config nobody is asked.
 *
 * @param stack one of the user's own; without it the lab's
 */
export async function dkimRecordsOf(
  { dkim }: Pick<Config, "dkim">,
  stack: string | undefined,
  lab: string,
): Promise<Record<string, string>> {
  if (dkim.selectors.length === 0) return {};
  const stdout = stack === undefined ? await askLab(lab) : await ask(stack);
  return stdout === undefined ? {} : (JSON.parse(stdout) as Record<string, string>);
}

async function ask(stack: string): Promise<string | undefined> {
  const args = ["--non-interactive", ...OUTPUT, stack];
  const limits = { cwd: PROJECT, stdin: "", deadline: 60_000 };
  const run = await runCommand("pulumi", args, limits);
  return run.status === 0 ? run.stdout : undefined;
}

async function askLab(name: string): Promise<string | undefined> {
  const { stack } = await openRunningLab(name);
  const run = await pulumi(stack, [...OUTPUT, name], { inNamespace: false });
  return run.code === 0 ? run.stdout : undefined;
}
