// The pages of docs/operate.md on a renamed stack, lost state, a new KVM host and `destroy`, by
// their own commands, in a lab of its own: each takes away what other tests need.
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Lab, openRunningLab } from "../../cli/parts/open-lab.ts";
import { writeStackConfig } from "../../cli/parts/lab-config.ts";
import { accountPassword, mailIn, mailOut } from "../../cli/parts/mail-round-trip.ts";
import { enter, labEnvironment, PROJECT } from "../../cli/parts/pulumi-cli.ts";
import { toolPath } from "../../lab/programs.ts";
import { commandsOn } from "./commands.ts";
import { LAB } from "./setup.ts";

const NAME = `op${LAB}`.slice(0, 10);
const { must } = commandsOn(NAME);
const PAGES = readFileSync(join(PROJECT, "docs", "operate.md"), "utf8");
/**
 * The project as its owner has it: with the stack's config file beside Pulumi.yaml, and with
 * answers for the engine's questions.
 */
const FOLDER = mkdtempSync(join(tmpdir(), "tailwart-operate-"));

let lab: Lab;

const WRAPPER = `#!/bin/sh
# The engine asks nobody here, and its stack is the lab's.
cd "$OWN_PROJECT"
case "$1 $2" in
  "stack init") exec "$REAL_PULUMI" "$@" --non-interactive ;;
  up*|destroy*) set -- "$@" --yes --skip-preview ;;
  "state "*) set -- "$@" --yes ;;
esac
exec "$REAL_PULUMI" "$@" --non-interactive --stack "$STACK"
`;

/**
 * The commands of a page: its indented blocks, or what it has between backticks. The stack prod is
 * the lab's.
 */
function page(title: string): { blocks: string[]; inline: string[] } {
  const [, text] = new RegExp(`^## ${title}\\n([^]*?)(?=^## |$(?![^]))`, "m").exec(PAGES) ?? [];
  if (text === undefined) throw new Error(`docs/operate.md has no page "${title}"`);
  const named = text
    .replaceAll("ssh://root@kvm", lab.facts.dockerHosts.kvm)
    .replaceAll("ssh://root@edge", lab.facts.dockerHosts.edge)
    .replaceAll(/\bprod\b/g, NAME);
  const blocks = [...named.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replaceAll(/^ {4}/gm, ""));
  return { blocks, inline: [...named.matchAll(/`(pulumi [^`]+)`/g)].map(([, command = ""]) => command) };
}

/** Runs a page's commands as the operator, in bash. */
function shell(script: string, stack = NAME) {
  const env = {
    ...labEnvironment(lab.stack),
    PATH: `${join(FOLDER, "bin")}:${process.env["PATH"]}`,
    REAL_PULUMI: toolPath("pulumi"),
    OWN_PROJECT: FOLDER,
    STACK: stack,
  };
  const [program = "", ...args] = [...enter(lab.stack), "bash", "--norc", "-euo", "pipefail", "-c", script];
  const done = spawnSync(program, args, {
    cwd: FOLDER,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: 580_000,
    maxBuffer: 2 ** 26,
  });
  return { code: done.status, said: `$ ${script}\n${done.stdout}\n${done.stderr}` };
}
function mustShell(script: string, stack?: string): string {
  const { code, said } = shell(script, stack);
  expect(code, said).toBe(0);
  return said;
}

const docker = (box: "kvm" | "edge", ...args: string[]) =>
  mustShell(["docker", "--host", lab.facts.dockerHosts[box], ...args].join(" "));
const nodeAddress = () =>
  /^100\.\S+$/m.exec(docker("kvm", "exec", `tailwart-${NAME}-sidecar`, "tailscale ip -4"))?.[0];
const containersOf = (box: "kvm" | "edge") =>
  docker(box, "ps --all --quiet --filter", `label=tailwart.stack=tailwart/${NAME}`)
    .split("\n")
    .filter((line) => /^[0-9a-f]{12}$/.test(line));
/** alice's password, which she keeps. */
let password: string;
/** From outside to alice, and from her out. */
const expectMail = async () => {
  expect(await mailIn(lab, password)).toContain("in:");
  expect(await mailOut(lab, password)).toContain("out:");
};

describe.runIf(process.env["TAILWART_FULL"])("a page of docs/operate.md", { timeout: 900_000 }, () => {
  beforeAll(async () => {
    await must("cli/up.ts");
    lab = await openRunningLab(NAME);
    password = await accountPassword(lab, "alice");
    for (const entry of readdirSync(PROJECT))
      if (!/^(\.git|Pulumi\.\w+\.yaml)$/.test(entry)) symlinkSync(join(PROJECT, entry), join(FOLDER, entry));
    symlinkSync(lab.stack.configFile, join(FOLDER, basename(lab.stack.configFile)));
    mkdirSync(join(FOLDER, "bin"));
    writeFileSync(join(FOLDER, "bin", "pulumi"), WRAPPER, { mode: 0o755 });
  }, 900_000);

  afterAll(async () => {
    rmSync(FOLDER, { recursive: true });
    await must("cli/down.ts");
  }, 300_000);

  test("A renamed stack: up refuses another name, and the old one takes it back", () => {
    mustShell("pulumi stack rename renamed");
    const refused = shell("pulumi up", "renamed");
    expect(refused.code, refused.said).not.toBe(0);
    expect(refused.said).toContain(`pulumi stack rename ${NAME}`);
    const [, back = ""] = page("A renamed stack").inline;
    expect(back).toBe(`pulumi stack rename ${NAME}`);
    mustShell(back, "renamed");
    expect(mustShell("pulumi up --expect-no-changes")).toMatch(/unchanged/);
  });

  test("Lost state, with a copy of it: imported, and nothing is to be changed", () => {
    mustShell("pulumi stack export --file state.json");
    mustShell("pulumi stack rm --force --yes --preserve-config");
    const [command = ""] = page("Lost state").inline;
    expect(command).toContain("pulumi stack import --file state.json");
    mustShell(command);
    expect(mustShell("pulumi up --expect-no-changes")).toMatch(/unchanged/);
  });

  test("Lost state, without one: the same node, the same certificates, and accounts keep their passwords", async () => {
    const address = nodeAddress();
    const before = containersOf("kvm");
    mustShell("pulumi stack rm --force --yes --preserve-config");
    mustShell(`pulumi stack init ${NAME}`);
    const [block = ""] = page("Lost state").blocks;
    const said = mustShell(block);
    expect(said).toContain("account alice was there before and keeps its password");
    expect(nodeAddress()).toBe(address);
    expect(containersOf("kvm").some((id) => before.includes(id))).toBe(false);
    mustShell("pulumi up --expect-no-changes");
    await expectMail();
  });

  test("Taking it away, protected things excluded: the next up has the same node, and mail flows", async () => {
    const address = nodeAddress();
    const [block = ""] = page("Taking it away").blocks;
    const [excluded = ""] = block.split("\n");
    mustShell(excluded);
    expect([...containersOf("kvm"), ...containersOf("edge")]).toEqual([]);
    mustShell("pulumi up");
    expect(nodeAddress()).toBe(address);
    await expectMail();
  });

  test("A new KVM host: refused while the old one is in the state; then mail flows there, from the same data store", async () => {
    const kvm = { "tailwart:kvm": { dockerHost: lab.facts.dockerHosts.edge } };
    await writeStackConfig(lab.stack, lab.facts, kvm);
    const refused = shell("pulumi up");
    expect(refused.code, refused.said).not.toBe(0);
    expect(refused.said).toContain("dockerHost");
    await writeStackConfig(lab.stack, lab.facts);
    const [block = ""] = page("A new KVM host").blocks;
    mustShell(block);
    expect(containersOf("kvm")).toEqual([]);
    await writeStackConfig(lab.stack, lab.facts, kvm);
    mustShell("pulumi up");
    expect(containersOf("edge").length).toBeGreaterThan(3);
    mustShell("pulumi up --expect-no-changes");
    await expectMail();
  });

  test("Taking it away for good: no container, no volume, no network of the stack is left", () => {
    const [block = ""] = page("Taking it away").blocks;
    mustShell(block.split("\n").slice(1).join("\n"));
    for (const box of ["kvm", "edge"] as const) {
      expect(containersOf(box)).toEqual([]);
      expect(
        docker(box, "volume ls --quiet")
          .split("\n")
          .filter((line) => line.startsWith("tailwart-")),
      ).toEqual([]);
      expect(docker(box, "network ls --format '{{.Name}}'")).not.toContain(`tailwart-${NAME}`);
    }
  });
});
