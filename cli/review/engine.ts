import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, parseDocument } from "yaml";
import { ensure } from "../../tools/ensure.mjs";
import { onPath } from "../../tools/versions.mjs";
import { openRunningLab } from "../parts/open-lab.ts";
import { stackFlags } from "../parts/lab-config.ts";
import { enter, labEnvironment, PROJECT } from "../parts/pulumi-cli.ts";
import { secretsOf, withDummies } from "./dummies.ts";
import { type OpenStack, run } from "./engine-runs.ts";

/** A provider refuses to start without a credential; a preview asks nobody with it. */
const NO_CREDENTIAL = "not-needed-for-a-preview";

/** Opens a lab's stack. */
export async function openLabStack(name: string): Promise<OpenStack> {
  const { stack } = await openRunningLab(name);
  return {
    stack: name,
    project: PROJECT,
    flags: stackFlags(stack),
    policyFlags: ["--policy-pack-config", stack.policyConfigFile],
    env: labEnvironment(stack),
    before: enter(stack),
    remove: async () => undefined,
  };
}

/** Which stack of which program. */
export interface StackSource {
  readonly stack: string;
  /** The program's folder. */
  readonly project: string;
  /** The stack's config file, where it has one. */
  readonly configFile?: string | undefined;
}

/**
 * Opens a stack in the user's own backend, with the user's own Pulumi, login and credentials;
 * without a Pulumi, with the toolchain's.
 */
export async function openOwnStack({ stack, project, configFile }: StackSource): Promise<OpenStack> {
  const env = onPath("pulumi") ? process.env : { ...process.env, ...(await engineTools()).env };
  return {
    stack,
    project,
    ...(configFile !== undefined && { configFile }),
    flags: ["--stack", stack, ...(configFile === undefined ? [] : ["--config-file", configFile])],
    policyFlags: [],
    env,
    before: [],
    remove: async () => undefined,
  };
}

/**
 * Opens a stack on a file backend of its own in a temporary folder, which nothing else knows of,
 * and which goes where opening it fails.
 *
 * @param state the stack's state, as `pulumi stack export` has written it, and then secrets are
 *   opened by the user's own passphrase (PULUMI_CONFIG_PASSPHRASE or _FILE). Without it the stack
 *   is empty, and each secret of the config a dummy: no credential is needed
 */
export async function openTemporaryStack(source: StackSource, state?: string): Promise<OpenStack> {
  const tools = await engineTools();
  const folder = await mkdtemp(join(tmpdir(), "tailwart-review-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    return await openIn(folder, source, tools.env, remove, state);
  } catch (error) {
    await remove();
    throw error;
  }
}

async function openIn(
  folder: string,
  source: StackSource,
  tools: NodeJS.ProcessEnv,
  remove: () => Promise<void>,
  state?: string,
): Promise<OpenStack> {
  const { stack, project, configFile } = source;
  const config = join(folder, `Pulumi.${stack}.yaml`);
  await mkdir(join(folder, "state"), { mode: 0o700 });
  const { name } = parse(await readFile(join(project, "Pulumi.yaml"), "utf8")) as { name: string };
  await writeFile(join(folder, "Pulumi.yaml"), `name: ${name}\nruntime: nodejs\n`);
  if (configFile !== undefined && state !== undefined) await copyFile(configFile, config);
  const { PULUMI_CONFIG_PASSPHRASE_FILE: _, ...noFile } = process.env;
  const env = {
    TAILSCALE_API_KEY: NO_CREDENTIAL,
    ...(state === undefined ? { ...noFile, PULUMI_CONFIG_PASSPHRASE: "review" } : process.env),
    ...tools,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
  };
  const opened: OpenStack = {
    stack,
    project,
    ...(configFile !== undefined && { configFile }),
    flags: ["--stack", stack, "--config-file", config],
    policyFlags: [],
    env,
    before: [],
    remove,
  };
  const steps = [
    ["stack", "init", stack],
    state === undefined
      ? await dummySecrets(source, name, config)
      : ["stack", "import", "--stack", stack, "--file", state],
  ];
  for (const step of steps.filter(({ length }) => length > 0)) {
    const done = await run(opened, step, folder);
    if (done.code !== 0) return { ...opened, broken: done };
  }
  return opened;
}

/**
 * Writes the stack's config without its secrets.
 *
 * @returns the command that gives each of them a value that opens nothing; none where there is none
 */
async function dummySecrets(source: StackSource, name: string, file: string): Promise<string[]> {
  const { stack, project, configFile } = source;
  if (configFile === undefined) return [];
  const wanted = name === "tailwart" ? await secretsOf(project) : [];
  const given = await readFile(configFile, "utf8");
  const { text, secrets } = isYaml(given) ? withDummies(given, wanted) : { text: given, secrets: [] };
  await writeFile(file, text);
  const pairs = secrets.flatMap((pair) => ["--secret", pair]);
  return pairs.length ? ["config", "set-all", "--stack", stack, "--path", ...pairs] : [];
}

/** What is no YAML is the engine's to refuse: then it is in the report. */
const isYaml = (text: string) => parseDocument(text).errors.length === 0;

const engineTools = () => ensure(["engine"], { quiet: true });

/** No stack at all: for a state that lies in a file. */
export async function openNothing(project: string): Promise<OpenStack> {
  const tools = await engineTools();
  const env = { ...process.env, ...tools.env };
  const remove = async () => undefined;
  return { stack: "", project, flags: [], policyFlags: [], env, before: [], remove };
}
