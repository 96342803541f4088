import { mkdtemp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parse, stringify } from "yaml";

import { policyFlags, stackFlags } from "../parts/lab-config.ts";
import { type LabStack, mustPulumi, PROJECT, type PulumiOptions } from "../parts/pulumi-cli.ts";
import { sample, type PreviewFigures } from "./figures.ts";
import { pluginStarts } from "./plugin-starts.ts";

/** Runs of which the engine's log is read. */
const LOGGED_RUNS = 3;

/**
 * Times the no-op preview of a deployed stack against that of an empty program, in turns, so that
 * whatever else the machine does meets both. One run of each goes before, and is not counted.
 *
 * @param runs how many of each
 * @throws UserError when the preview is not one without changes
 */
export async function previewFigures(
  stack: LabStack,
  runs: number,
  note: (text: string) => void,
): Promise<PreviewFigures> {
  const empty = await deployEmptyProgram(stack);
  try {
    const preview = ["preview", "--expect-no-changes"];
    const variants = {
      emptyProgram: () => timed(empty.stack, [...preview, "--stack", "empty"], { cwd: empty.folder }),
      withoutPack: () => timed(stack, [...preview, ...stackFlags(stack)]),
      withPack: () => timed(stack, [...preview, ...stackFlags(stack), ...policyFlags(stack)]),
    };
    const times: Record<keyof typeof variants, number[]> = {
      emptyProgram: [],
      withoutPack: [],
      withPack: [],
    };
    for (let run = 0; run <= runs; run++) {
      note(run === 0 ? "previews: warm-up" : `previews: ${run} of ${runs}`);
      for (const [name, variant] of Object.entries(variants)) {
        const { took } = await variant();
        if (run > 0) times[name as keyof typeof variants].push(took);
      }
    }
    note("previews: the engine's log");
    const logs: string[] = [];
    for (let run = 0; run < LOGGED_RUNS; run++) {
      const { stderr } = await timed(stack, [...preview, ...stackFlags(stack), "--logtostderr", "-v=7"]);
      logs.push(stderr);
    }
    const figures = {
      withPack: sample(times.withPack),
      withoutPack: sample(times.withoutPack),
      emptyProgram: sample(times.emptyProgram),
    };
    const ratio = figures.withPack.median / figures.emptyProgram.median;
    const shares = {
      pack: difference(times.withPack, times.withoutPack),
      programAndProviders: difference(times.withoutPack, times.emptyProgram),
    };
    return { ...figures, ratio, shares, pluginStarts: pluginStarts(logs) };
  } finally {
    await rm(empty.folder, { recursive: true });
  }
}

/** Median of the differences, turn by turn. */
function difference(longer: readonly number[], shorter: readonly number[]): number {
  return sample(longer.map((took, turn) => took - (shorter[turn] ?? 0))).median;
}

async function timed(stack: LabStack, args: string[], options?: PulumiOptions) {
  const start = performance.now();
  const { stderr } = await mustPulumi(stack, args, options);
  return { took: performance.now() - start, stderr };
}

/**
 * A project whose program does nothing, deployed with the same engine, language host, runtime
 * options, node modules and secrets provider as the lab's stack, and from the same network
 * namespace.
 */
async function deployEmptyProgram(like: LabStack): Promise<{ stack: LabStack; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "tailwart-bench-"));
  const project = parse(await readFile(join(PROJECT, "Pulumi.yaml"), "utf8")) as { runtime: unknown };
  await writeFile(join(folder, "Pulumi.yaml"), stringify({ name: "empty", runtime: project.runtime }));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", main: "index.ts" }));
  await writeFile(join(folder, "index.ts"), "export const nothing: boolean = true;\n");
  await symlink(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  const stack = {
    ...like,
    backend: join(folder, "state"),
    configFile: join(folder, "Pulumi.empty.yaml"),
  };
  await mkdir(stack.backend);
  await mustPulumi(stack, ["stack", "init", "empty"], { cwd: folder });
  await mustPulumi(stack, ["up", "--yes", "--skip-preview", "--stack", "empty"], { cwd: folder });
  return { stack, folder };
}
