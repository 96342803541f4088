// `npm run up` after one that was cut off hard, at any moment. One that was told to stop:
// 90-down.test.ts.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { stackFlags } from "../../cli/parts/lab-config.ts";
import { mustPulumi } from "../../cli/parts/pulumi-cli.ts";
import { commandsOn } from "./commands.ts";
import { container, layout, said, stack, up } from "./lab.ts";
import { LAB } from "./setup.ts";

const { start, must, deploying, powerCut } = commandsOn(LAB);
const FULL = process.env["TAILWART_FULL"] === "1";

/**
 * Takes network and containers away, so that the next `up` makes them. Volumes and generated
 * passwords stay.
 */
async function takeAway(): Promise<void> {
  const targets = ["**mail-network", "**edge-caddy"].flatMap((each) => ["--target", each]);
  const flags = ["--yes", "--skip-preview", "--target-dependents", ...targets, ...stackFlags(stack)];
  await mustPulumi(stack, ["destroy", ...flags]);
}

/** Resolves once the KVM's Docker has made a thing, which the engine does not know of yet. */
function created(filter: string): Promise<void> {
  const args = [
    "--host",
    layout.boxes.kvm.dockerHost,
    "events",
    "--filter",
    filter,
    "--filter",
    "event=create",
  ];
  const events = spawn("docker", [...args, "--format", "{{.Actor.Attributes.name}}"]);
  return new Promise((resolve) =>
    events.stdout.once("data", () => {
      events.kill();
      resolve();
    }),
  );
}

/** What the state says is being made. */
async function pending(): Promise<string[]> {
  const { stdout } = await mustPulumi(stack, ["stack", "export", "--stack", stack.name]);
  type Exported = { deployment: { pending_operations?: { resource: { urn: string } }[] } };
  const { deployment } = JSON.parse(stdout) as Exported;
  return (deployment.pending_operations ?? []).map(({ resource }) => resource.urn.split("::").at(-1) ?? "");
}

async function expectWhole(): Promise<void> {
  expect(await pending()).toEqual([]);
  const again = await up({}, "--expect-no-changes");
  expect(again.code, said(again)).toBe(0);
}

/**
 * Runs `up` and kills it as soon as the KVM's Docker has made something of this kind. Returns what
 * it had said.
 */
async function killedOver(kind: "network" | "container", name: string): Promise<string> {
  const made = created(`type=${kind}`);
  const killed = start("cli/up.ts");
  await made;
  powerCut();
  expect(await killed.ended).toBe("SIGKILL");
  // It is there, and the state has it not.
  expect(await pending()).toContain(name);
  return killed.said();
}

describe("npm run up after a power cut", () => {
  test("over a network and then over a container that the state does not know: the next one finishes by itself", async () => {
    await takeAway();
    await killedOver("network", "mail-network");
    const second = await killedOver("container", "mail-anchor");
    const lock = /removed what a killed up had left: the lock of process \d+ \(dead\)/;
    expect(second).toMatch(lock);
    const last = await must("cli/up.ts");
    expect(last).toMatch(lock);
    expect(second + last).toContain(`removed the network tailwart-${LAB}-mail`);
    expect(last).toContain(`removed the container ${container("anchor")}`);
    expect(last).not.toMatch(/pending operations|Conflict/);
    await expectWhole();
  });

  // Its engine goes on until it has something to say to nobody.
  test.runIf(FULL)("of the command alone: its engine is waited for, or cleared away", async () => {
    await takeAway();
    const up = await deploying();
    await sleep(3_000);
    up.child.kill("SIGKILL");
    expect(await up.ended).toBe("SIGKILL");
    await must("cli/up.ts");
    await expectWhole();
  });
});

describe.runIf(FULL)("npm run up killed with -9 at random moments", () => {
  const ROUNDS = 20;
  test(`${ROUNDS} times: each is finished by the next, by no hand`, { timeout: 3_600_000 }, async () => {
    await takeAway();
    const began = Date.now();
    await must("cli/up.ts");
    let whole = Date.now() - began;
    for (let round = 1; round <= ROUNDS; round++) {
      await takeAway();
      const killed = start("cli/up.ts");
      const moment = Math.random() * whole;
      await sleep(moment);
      if (killed.child.exitCode !== null) {
        // It was faster than the first one, and has come to its end: no kill, no round.
        whole *= 0.8;
        round--;
        continue;
      }
      const at = killed.said().trim().split("\n").at(-1) ?? "";
      powerCut();
      await killed.ended;
      const open = await pending();
      const since = Date.now();
      await must("cli/up.ts");
      const took = ((Date.now() - since) / 1000).toFixed(0);
      console.log(
        `round ${round}: killed after ${(moment / 1000).toFixed(1)} s (${at}), pending: ${open.join(", ") || "nothing"}; the next up took ${took} s`,
      );
      await expectWhole();
    }
  });
});
