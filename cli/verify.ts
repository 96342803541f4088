// `npm run verify`: the checks that `up` ends with, at any time, on the lab or on a stack of yours.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { parse } from "yaml";
import { existsSync, readFileSync } from "node:fs";

import { loadConfig } from "../config/load.ts";
import { UserError } from "../lib/errors.ts";
import { planOf } from "../lib/plan.ts";
import type { VerifyTarget } from "../verify/checks.ts";
import { labArguments, naming } from "./arguments.ts";
import { runMain } from "./progress.ts";
import { PROJECT } from "./stack.ts";
import { layoutOf } from "../lab/layout.ts";

const USAGE = `Usage: npm run verify [-- --name NAME | --stack STACK]

Asks a deployed stack whether it works: sidecar and Postgres, Stalwart's
greeting, the relay, and the way in through the edge.

  --name NAME     which lab (default: lab, or $TAILWART_LAB)
  --stack STACK   a stack of your own instead, by its Pulumi.STACK.yaml

Exit codes: 0 all of it works, 1 the cause is printed, 2 wrong usage.`;

const { name, values } = labArguments(USAGE, { stack: { type: "string" } });

await runMain(async () => {
  const stack = values["stack"] as string | undefined;
  const file = stack
    ? join(PROJECT, `Pulumi.${stack}.yaml`)
    : join(layoutOf(name).stateDir, `Pulumi.${name}.yaml`);
  if (!existsSync(file))
    throw stack
      ? new UserError(`there is no Pulumi.${stack}.yaml here`, { hint: "write: --stack prod" })
      : new UserError(`no stack is deployed in the lab "${name}"`, {
          hint: `run: npm run up${naming(name)}`,
        });
  const target = targetOf(file, stack ?? name);
  const done = spawnSync(
    process.execPath,
    [join(PROJECT, "verify", "main.ts"), "sidecar", "stalwart", "relay", "edge"],
    {
      input: JSON.stringify(target),
      stdio: ["pipe", "inherit", "inherit"],
    },
  );
  process.exitCode = done.status ?? 1;
});

/** What to look at, from the stack's config file; names of containers follow from the stack's name. */
function targetOf(file: string, stack: string): VerifyTarget {
  const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  const secret = (value: unknown) => typeof value === "object" && value !== null && "secure" in value;
  const raw = Object.entries(config).map(([key, value]) => {
    const text = secret(value) ? "not needed here" : value;
    return [key, typeof text === "string" ? text : JSON.stringify(text)];
  });
  const loaded = loadConfig(Object.fromEntries(raw) as Record<string, string>, (key) => secret(config[key]));
  const { verification } = planOf(loaded.config);
  const container = (role: string) => `tailwart-${stack}-${role}`;
  return {
    kvm: {
      dockerHost: verification.kvmDockerHost,
      sidecar: container("sidecar"),
      stalwart: container("stalwart"),
    },
    edge: { dockerHost: verification.edgeDockerHost, container: container("edge") },
    postgres: verification.postgres,
    relay: verification.relay,
    node: verification.node,
  };
}
