// `npm run up`: a fresh clone → a running mail stack, deployed by the real engine, proved by mail
// in both directions.
import { givenImages } from "../lab/images/given.ts";
import { requireLabMachine, naming } from "../lab/topology.ts";
import { describeError } from "../lib/errors.ts";
import { ensureDebianPackages } from "../tools/debian.mjs";
import { ensure } from "../tools/ensure.mjs";
import { debian } from "../tools/manifest.mjs";
import { adoptPolicy } from "./adopt/policy.ts";
import { labArguments, wrongUsage } from "./parts/arguments.ts";
import { settleInterrupted } from "./parts/interrupted.ts";
import { groupsFor, openLab } from "./parts/open-lab.ts";
import { policyFlags, stackFlags, writeStackConfig } from "./parts/lab-config.ts";
import { Progress, runMain } from "./parts/progress.ts";
import { prove } from "./parts/mail-round-trip.ts";
import { mustPulumi } from "./parts/pulumi-cli.ts";

const USAGE = `Usage: npm run up [-- --name NAME] [-- --image IMAGE=SOURCE]… [-- --line LINE]

Makes the toolchain, the images and the lab's world, deploys the stack into it,
and delivers mail in both directions. What is there already is kept; run it
again after a failure and it goes on where it stopped.

  --name NAME            which lab (default: lab, or $TAILWART_LAB)
  --image IMAGE=SOURCE   takes another image than the lab's own, this time: IMAGE is
                         anchor, sidecar, stalwart or edge, SOURCE a file of \`docker save\`
                         or a name with a digest. The next \`up\` without it goes
                         back to the lab's own
  --line LINE            line of the given Stalwart (0.15, 0.16 or 1), where its tag
                         names no version

Exit codes: 0 the stack runs, 1 a stage failed, 2 wrong usage.`;

const { name, values } = labArguments(USAGE, {
  image: { type: "string", multiple: true },
  line: { type: "string" },
});
const words = (values["image"] ?? []) as string[];
const images = await givenImages(words, values["line"] as string | undefined).catch((error: unknown) =>
  wrongUsage(describeError(error), USAGE),
);

await runMain(async () => {
  requireLabMachine();
  const progress = new Progress(7);
  await progress.stage(
    "Debian packages",
    () => ensureDebianPackages([...debian.lab, ...(images.length > 0 ? debian.givenImages : [])]),
    (added) => (added.length > 0 ? `${added.length} installed` : "all there"),
  );
  const tools = await progress.stage(
    "toolchain",
    () => ensure(groupsFor(images.find((image) => image.name === "stalwart")?.source)),
    ({ pieces }) => `${pieces.length} pieces`,
  );
  const lab = await progress.stage(`the lab's world "${name}"`, () =>
    openLab(name, tools.env, { start: true, images }),
  );
  await progress.stage(
    "stack and config",
    async () => {
      const settled = await settleInterrupted(lab.stack, (line) => console.log(`    … ${line}`));
      await writeStackConfig(lab.stack, lab.facts);
      return settled;
    },
    (settled) => settled,
  );
  await progress.stage(
    "the tailnet's present policy",
    () => adoptPolicy(lab.stack),
    (done) => (done ? "imported" : "imported before"),
  );
  await progress.stage("pulumi up", () =>
    mustPulumi(
      lab.stack,
      ["up", "--yes", "--skip-preview", ...stackFlags(lab.stack), ...policyFlags(lab.stack)],
      { show: true },
    ),
  );
  await progress.stage(
    "mail in and out",
    () => prove(lab),
    (lines) => `\n${lines.map((line) => `      ${line}`).join("\n")}\n   `,
  );
  const rows = [
    [`npm run preview${naming(name)}`, "what a change would do"],
    [`npm run lab -- info${naming(name).replace(" --", "")}`, "endpoints, containers, accounts"],
    [`npm run down${naming(name)}`, "takes all of it away again"],
  ] as const;
  const width = Math.max(...rows.map(([command]) => command.length));
  const next = rows.map(([command, does]) => `  ${command.padEnd(width)}   ${does}`);
  console.log(`\nThe stack runs (${progress.elapsed()}). Next:\n${next.join("\n")}`);
});
