import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { UserError } from "../../lib/errors.ts";
import { POLICY_PACK, PROJECT } from "../parts/pulumi-cli.ts";
import { policyFigures, type PolicySize, type Times } from "./policy-figures.ts";
import { PROGRAM, resourcesOf } from "./resources.ts";

/** Resources of the programs that are previewed. */
const SIZES = [20, 200] as const;

type Variant = [keyof Times, () => Promise<number>];

/**
 * Times previews of programs of two sizes without the policy pack and with it, in turns, so that
 * whatever else the machine does meets both. One turn goes before, and is not counted. Needs no
 * lab, and neither root nor a Docker daemon.
 *
 * @param runs how many of each
 * @param env finds the engine and its plugins
 */
export async function benchPolicies(
  runs: number,
  env: Record<string, string>,
  note: (text: string) => void,
): Promise<PolicySize[]> {
  const folder = await mkdtemp(join(tmpdir(), "tailwart-bench-"));
  try {
    const pulumi = runner(folder, env);
    await makeProject(folder);
    await pulumi(["stack", "init", "bench"]);
    const preview = async (...flags: string[]): Promise<number> => {
      const start = performance.now();
      const { stdout } = await pulumi(["preview", "--stack", "bench", "--suppress-progress", ...flags]);
      const took = performance.now() - start;
      // Mandatory ones have made it fail; what is an advice would be printed for each resource, and
      // be timed as well.
      if (stdout.includes("[advisory]"))
        throw new UserError(`the policies have something to say about the bench's own program:\n${stdout}`);
      return took;
    };
    const previews: Variant[] = [
      ["withoutPack", () => preview()],
      ["withPack", () => preview("--policy-pack", POLICY_PACK)],
    ];
    const taken = new Map(SIZES.map((size): [number, Times] => [size, { withoutPack: [], withPack: [] }]));
    for (let run = 0; run <= runs; run++) {
      for (const size of SIZES) {
        note(run === 0 ? `${size} resources: warm-up` : `${size} resources: ${run} of ${runs}`);
        await writeFile(join(folder, "resources.json"), JSON.stringify(resourcesOf(size)));
        // What the machine is slow at first, it is not always at the same one.
        for (const [variant, time] of run % 2 === 0 ? previews : previews.toReversed()) {
          const took = await time();
          if (run > 0) taken.get(size)?.[variant].push(took);
        }
      }
    }
    return policyFigures(taken);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function makeProject(folder: string): Promise<void> {
  await writeFile(join(folder, "Pulumi.yaml"), "name: bench\nruntime: nodejs\n");
  await writeFile(join(folder, "package.json"), JSON.stringify({ main: "index.js" }));
  await writeFile(join(folder, "index.js"), PROGRAM);
  await symlink(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  await mkdir(join(folder, "state"));
}

/** Runs the Pulumi CLI in a folder. @throws UserError with what it printed */
function runner(folder: string, env: Record<string, string>) {
  const all = {
    ...process.env,
    ...env,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
  };
  return (args: string[]) =>
    new Promise<{ stdout: string }>((done, fail) => {
      const argv = [...args, "--non-interactive", "--color", "never"];
      execFile("pulumi", argv, { cwd: folder, env: all, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
        if (error) fail(new UserError(`pulumi ${args.join(" ")} failed:\n${(stdout + stderr).slice(-4000)}`));
        else done({ stdout });
      });
    });
}
