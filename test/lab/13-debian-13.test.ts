// The same stack on Docker hosts of the next Debian, whose Docker is 26.1, in a lab of its own
// beside the tests' one.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openRunningLab, type Lab } from "../../cli/parts/open-lab.ts";
import { stackFlags } from "../../cli/parts/lab-config.ts";
import { prove } from "../../cli/parts/mail-round-trip.ts";
import { pulumi } from "../../cli/parts/pulumi-cli.ts";
import { docker, restartDocker } from "../../lab/docker-hosts.ts";
import { BOXES } from "../../lab/topology.ts";
import { eventually, said } from "./lab.ts";
import { LAB } from "./setup.ts";

const NAME = `d13${LAB}`.slice(0, 10);
const CLI = join(import.meta.dirname, "..", "..", "cli");

function command(name: string): void {
  const done = spawnSync(process.execPath, [join(CLI, `${name}.ts`), "--name", NAME], {
    stdio: "inherit",
    env: { ...process.env, TAILWART_HOSTS: "trixie" },
  });
  expect(done.status).toBe(0);
}

describe.runIf(process.env["TAILWART_FULL"])("Docker hosts of Debian 13", () => {
  let lab: Lab;
  const proved = [expect.stringMatching(/^in:/), expect.stringMatching(/^out:/)];

  beforeAll(async () => {
    command("down");
    command("up");
    lab = await openRunningLab(NAME);
  });

  afterAll(() => command("down"));

  test("run Docker 26.1", async () => {
    for (const name of BOXES)
      expect(await docker(lab.layout.boxes[name], "/version")).toMatchObject({
        Version: expect.stringMatching(/^26\.1\./),
      });
  });

  test("take mail in and out", async () => {
    expect(await prove(lab)).toEqual(proved);
  });

  test("are left alone by a second up, also after a refresh", async () => {
    for (const refresh of [[], ["--refresh"]]) {
      const args = ["up", "--yes", "--skip-preview", ...stackFlags(lab.stack), "--expect-no-changes"];
      const run = await pulumi(lab.stack, [...args, ...refresh]);
      expect(run.code, said(run)).toBe(0);
    }
  });

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "come back by themselves when both daemons are restarted by %s",
    async (signal) => {
      for (const name of BOXES) await restartDocker(lab.layout, lab.layout.boxes[name], signal);
      await eventually("mail in and out", 90, async () => (await prove(lab)).length === 2);
    },
  );
});
