import { copyFile, rm } from "node:fs/promises";

import { preview } from "../review/engine-runs.ts";
import { openLabStack } from "../review/engine.ts";
import { runIn } from "../../lab/machine.ts";
import { run, type RunOptions, type RunResult } from "../../lab/run.ts";
import type { BoxName, MachineName } from "../../lab/topology.ts";
import { UserError } from "../../lib/errors.ts";
import { type ContainerRole, containerOf, hostOf, serverPidIn } from "../parts/containers.ts";
import { type Overrides, policyFlags, stackFlags, writeStackConfig } from "../parts/lab-config.ts";
import type { Lab } from "../parts/open-lab.ts";
import { type PulumiRun, pulumi } from "../parts/pulumi-cli.ts";

/** The lab under the hands of who replays a lesson. */
export class Bench {
  readonly lab: Lab;
  /** The config that is deployed; undefined where that is not known. */
  #deployed: string | undefined;
  readonly #switches: boolean;

  /** @param options.switches whether overrides may leave guards out. @default true */
  constructor(lab: Lab, { switches = true } = {}) {
    this.lab = lab;
    this.#switches = switches;
  }

  /** Name of one of the stack's containers on its host. */
  container(role: ContainerRole): string {
    return containerOf(this.lab.stack.name, role);
  }

  /** Runs the docker CLI on a host. Returns both streams. @throws Error when it fails */
  async docker(box: BoxName, ...args: string[]): Promise<string> {
    const { dockerHost } = this.lab.layout.boxes[box];
    const line = ["sh", "-c", 'exec docker "$@" 2>&1', "docker", "--host", dockerHost, ...args];
    return (await run(line[0] ?? "", line.slice(1), { timeout: 120_000 })).stdout;
  }

  /** Runs a program on one of the lab's machines. */
  on(machine: MachineName, command: readonly string[], options?: RunOptions): Promise<RunResult> {
    return runIn(this.lab.layout.machines[machine], command, options);
  }

  /** A field of a container, as `docker inspect --format` has it. */
  async inspect(role: ContainerRole, format: string): Promise<string> {
    return (await this.docker(hostOf(role), "inspect", "--format", format, this.container(role))).trim();
  }

  /** The sidecar's address on the tailnet. */
  async tailnetAddress(): Promise<string> {
    return (await this.docker("kvm", "exec", this.container("sidecar"), "tailscale", "ip", "-4")).trim();
  }

  /** Stalwart's own process. */
  async serverPid(): Promise<string | undefined> {
    return serverPidIn(await this.docker("kvm", "top", this.container("stalwart"), "-o", "pid,args"));
  }

  /**
   * Asks until it holds; what cannot be asked yet does not hold yet.
   *
   * @returns the seconds it took, or undefined when it did not hold in time
   */
  async within(
    seconds: number,
    ask: () => Promise<boolean>,
    { every = 500 } = {},
  ): Promise<number | undefined> {
    const start = performance.now();
    for (;;) {
      const holds = await ask().catch(() => false);
      const passed = (performance.now() - start) / 1000;
      if (holds) return passed;
      if (passed > seconds) return undefined;
      await new Promise((resolve) => setTimeout(resolve, every));
    }
  }

  /**
   * Deploys the lab's stack with these changes of its config; nothing where it is deployed so.
   *
   * @param options.pack whether the policy pack judges it. @default true
   * @param options.mayFail return the run also where it fails, since the outage may be that
   * @throws UserError with the engine's last words
   */
  async deploy(
    overrides: Overrides,
    options: { pack?: boolean; mayFail?: boolean } = {},
  ): Promise<PulumiRun | undefined> {
    const { stack, facts } = this.lab;
    const stated = this.#switches ? overrides : withoutSwitches(overrides);
    const wanted = JSON.stringify(stated);
    if (wanted === this.#deployed) return undefined;
    this.#deployed = undefined;
    await writeStackConfig(stack, facts, stated);
    const pack = (options.pack ?? true) ? policyFlags(stack) : [];
    const args = ["up", "--yes", "--skip-preview", ...stackFlags(stack), ...pack];
    const done = await pulumi(stack, args, { timeout: 280 });
    if (done.code === 0) this.#deployed = wanted;
    else if (!options.mayFail)
      throw new UserError(
        `pulumi up failed (exit code ${done.code})\n${diagnosticsOf(`${done.stdout}${done.stderr}`)}`,
      );
    return done;
  }

  /** Has the next {@link deploy} deploy in any case: something was changed by hand. */
  changedByHand(): void {
    this.#deployed = undefined;
  }

  /** The policies that refuse the stack with these changes of its config. Deploys nothing. */
  async refusals(overrides: Overrides): Promise<string[]> {
    const { stack, facts } = this.lab;
    // A copy, for its secrets: what is deployed keeps its own.
    const configFile = stack.configFile.replace(/\.yaml$/, ".refused.yaml");
    await copyFile(stack.configFile, configFile);
    await writeStackConfig({ ...stack, configFile }, facts, overrides);
    const opened = await openLabStack(stack.name);
    const flags = ["--stack", stack.name, "--config-file", configFile];
    const { events, stderr } = await preview({ ...opened, flags }).finally(() => rm(configFile));
    const refusing = events.flatMap(({ policyEvent }) =>
      policyEvent?.enforcementLevel === "mandatory" ? [policyEvent.policyName] : [],
    );
    const failed = events.find(({ diagnosticEvent }) => diagnosticEvent?.severity === "error");
    if (refusing.length === 0 && (events.length === 0 || failed)) {
      const why = (failed?.diagnosticEvent?.message ?? stderr).trim();
      throw new UserError(`the preview failed, and not by a policy: ${why}`);
    }
    return [...new Set(refusing)];
  }
}

function withoutSwitches({ ...overrides }: Overrides): Overrides {
  delete overrides["tailwart:withoutGuards"];
  return overrides;
}

/** What the engine says is wrong: it stands before the outputs; else its last words. */
const diagnosticsOf = (said: string): string =>
  /Diagnostics:\n[^]*?(?=\n\S|$)/.exec(said)?.[0] ?? said.trim().split("\n").slice(-25).join("\n");
