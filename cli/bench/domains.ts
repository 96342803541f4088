import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parse, stringify } from "yaml";

import { UserError } from "../../lib/errors.ts";
import { PROJECT } from "../parts/pulumi-cli.ts";
import { openTemporaryStack } from "../review/engine.ts";
import { type OpenStack, preview } from "../review/engine-runs.ts";
import { domainFigures, type DomainFigures } from "./domain-figures.ts";

/** Domains of the larger stack. */
const MANY = 1000;

/**
 * Times previews of tailwart's own program, policy pack and all, with one domain and with many, in
 * turns, so that whatever else the machine does meets both. One turn goes before, and is not
 * counted. The stack is that of Pulumi.review.yaml, and writes its records; nothing of it is
 * deployed, so it needs no lab, and neither root nor a Docker daemon.
 *
 * @param runs how many of each
 */
export async function benchDomains(runs: number, note: (text: string) => void): Promise<DomainFigures> {
  const folder = await mkdtemp(join(tmpdir(), "tailwart-bench-"));
  const opened: OpenStack[] = [];
  try {
    const stackWith = async (count: number) => {
      const configFile = join(folder, `Pulumi.domains-${count}.yaml`);
      const review = await readFile(join(PROJECT, "Pulumi.review.yaml"), "utf8");
      await writeFile(configFile, configWith(review, count));
      const stack = await openTemporaryStack({ stack: `domains-${count}`, project: PROJECT, configFile });
      opened.push(stack);
      return stack;
    };
    const sizes = [await stackWith(1), await stackWith(MANY)] as const;
    const times: [number[], number[]] = [[], []];
    for (let run = 0; run <= runs; run++) {
      note(run === 0 ? "previews: warm-up" : `previews: ${run} of ${runs}`);
      // What the machine is slow at first, it is not always at the same one.
      for (const size of run % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        const took = await timed(sizes[size]);
        if (run > 0) times[size].push(took);
      }
    }
    return domainFigures(MANY, times);
  } finally {
    for (const stack of opened) await stack.remove();
    await rm(folder, { recursive: true });
  }
}

/**
 * The config of a stack with so many domains, each of which has all of its records.
 *
 * @param base a Pulumi.<stack>.yaml
 */
export function configWith(base: string, count: number): string {
  const file = parse(base) as { config: Record<string, unknown> };
  const names = Array.from({ length: count }, (_, i) => (i === 0 ? "example.org" : `d${i}.example`));
  const acme = {
    id: "letsencrypt",
    contact: ["postmaster@example.org"],
    challenge: "dns-01",
    names: names.map((name) => `*.${name}`),
  };
  const changes = {
    "tailwart:domains": names.map((name) => ({ name })),
    "tailwart:accounts": [{ address: "alice@example.org", aliases: ["postmaster@example.org"] }],
    "tailwart:acme": [acme],
    "tailwart:dnsProvider": { type: "rfc2136", host: "192.0.2.53", keyName: "writes" },
    "tailwart:dkim": { selectors: [{ name: "tw2026", use: "publish" }] },
    "tailwart:dns": { write: true, reports: "postmaster@example.org" },
  };
  return stringify({ ...file, config: { ...file.config, ...changes } });
}

async function timed(stack: OpenStack): Promise<number> {
  const start = performance.now();
  const { code, stdout, stderr } = await preview(stack);
  const took = performance.now() - start;
  if (code !== 0)
    throw new UserError(`the preview of ${stack.stack} failed:\n${(stdout + stderr).slice(-4000)}`);
  return took;
}
