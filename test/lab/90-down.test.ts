// `npm run down` after an `up` that did not end well, in a lab of its own beside the tests' one.
// After a success: setup.ts.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, beforeAll, describe, expect, test } from "vitest";

import { layoutOf } from "../../lab/topology.ts";
import { commandLine, isAlive, processOf } from "../../lab/processes.ts";
import { commandsOn } from "./commands.ts";
import { LAB } from "./setup.ts";
import { labProcesses, ownNetwork, remains } from "./nothing-left.ts";

const NAME = `dn${LAB}`.slice(0, 10);
const layout = layoutOf(NAME);
const FULL = process.env["TAILWART_FULL"] === "1";

const { start, must, engines, deploying, powerCut } = commandsOn(NAME);

/** Runs `down`, and looks at everything that it could have left. */
async function expectDownLeavesNothing(): Promise<void> {
  const processes = labProcesses(layout);
  // Nothing can be left of nothing.
  expect(processes.length).toBeGreaterThan(10);
  await must("cli/down.ts");
  expect(processes.filter(isAlive).map(({ pid }) => `${pid} ${commandLine(pid).join(" ")}`)).toEqual([]);
  expect(remains(layout)).toEqual([]);
  expect(await ownNetwork()).toBe(networkBefore);
}

let networkBefore: string;

beforeAll(async () => {
  await must("cli/down.ts");
  networkBefore = await ownNetwork();
});

afterEach(async () => void (await must("cli/down.ts")));

/**
 * Kills command and engine together, at any moment of the deployment: it takes some twenty seconds.
 */
async function killAnUp(): Promise<void> {
  const up = await deploying();
  await sleep(Math.random() * 15_000);
  expect(up.child.exitCode, up.said()).toBeNull();
  powerCut();
  expect(await up.ended).toBe("SIGKILL");
}

describe("npm run down leaves nothing", () => {
  test("of an up that was killed together with the engine, at any moment of the deployment", async () => {
    await killAnUp();
    await expectDownLeavesNothing();
  });

  test.runIf(FULL)("of an up that was killed while its engine goes on", async () => {
    const up = await deploying();
    await sleep(2_000);
    const [engine] = engines().map(processOf);
    up.child.kill("SIGKILL");
    await up.ended;
    expect(engine && isAlive(engine)).toBe(true);
    await expectDownLeavesNothing();
  });

  test.runIf(FULL)("of an up that failed, with Postgres stopped", async () => {
    await must("cli/lab.ts", "up");
    await must("cli/lab.ts", "postgres", "stop");
    const up = start("cli/up.ts");
    expect(await up.ended, up.said()).toBe(1);
    expect(up.said()).toContain("the-record-prod.tail.test:5432");
    await expectDownLeavesNothing();
  });

  test.runIf(FULL).each([1, 2, 3, 4])("of a killed up, attempt %d", async () => {
    await killAnUp();
    await expectDownLeavesNothing();
  });
});

describe("an up that is told to stop", () => {
  test.runIf(FULL).each([["SIGINT", 130] as const, ["SIGTERM", 143] as const])(
    "by %s lets the engine come to an end and unlock the stack, and says what to do next",
    async (signal, code) => {
      const up = await deploying();
      await sleep(5_000);
      const [engine] = engines().map(processOf);
      expect(engine && isAlive(engine)).toBe(true);
      up.child.kill(signal);
      expect(await up.ended, up.said()).toBe(code);
      expect(up.said()).toContain(`pulumi up was stopped by ${signal}\n  run the same command again`);
      expect(engines()).toEqual([]);
      const locks = readdirSync(join(layout.stateDir, "pulumi", ".pulumi", "locks"), { recursive: true });
      expect(locks.filter((each) => String(each).endsWith(".json"))).toEqual([]);
      await must("cli/up.ts");
    },
  );
});
