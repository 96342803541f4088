import { readFile, writeFile } from "node:fs/promises";

import { afterEach, describe, expect, test } from "vitest";
import { parse } from "yaml";

import type { ImageName } from "../../lab/images/images.ts";
import { sendMany } from "../../lab/mail/outside.ts";
import { startLoginRegistry } from "../../lab/image-registry.ts";
import { stackFlags } from "../../cli/parts/lab-config.ts";
import { mustPulumi } from "../../cli/parts/pulumi-cli.ts";
import { container, docker, eventually, facts, greets, layout, said, stack, up } from "./lab.ts";

/** Every container of the stack by name, with its id. */
function ids(): Record<string, string> {
  const list = ["ps", "--all", "--no-trunc", "--filter", `label=tailwart.stack=tailwart/${stack.name}`];
  const lines = (["kvm", "edge"] as const).flatMap((box) =>
    docker(box, ...list, "--format", "{{.Names}} {{.ID}}")
      .trim()
      .split("\n"),
  );
  return Object.fromEntries(lines.map((line) => line.split(" ") as [string, string]));
}

const stalwartPid = () =>
  docker("kvm", "inspect", "--format", "{{.State.Pid}}", container("stalwart")).trim();

// Each case leaves the images that the stack declares.
afterEach(async () => {
  const run = await up();
  expect(run.code, said(run)).toBe(0);
});

/**
 * All of them in `npm run test:full`; the sidecar's shows it: mail is gone with it, and both other
 * containers wait for it.
 */
const names: ImageName[] = process.env["TAILWART_FULL"]
  ? ["anchor", "sidecar", "stalwart", "edge"]
  : ["sidecar"];

describe("an image that cannot be pulled (decision 18)", () => {
  test.each(names)(
    "%s: up fails and names it, nothing is replaced, and none of 100 messages is refused",
    async (name) => {
      const before = ids();
      expect(Object.keys(before)).toHaveLength(5);
      const nowhere = `${layout.registry}/tailwart/${name}@sha256:${"0".repeat(64)}`;
      const to = `alice@${facts.mailDomain}`;
      const order = { host: facts.mailHost, port: 25, domain: `${name}.outside.test`, to };
      let sent = false;
      const sending = sendMany(layout, { ...order, count: 100, during: 22 }).finally(() => (sent = true));
      let times = 0;
      for (; !sent; times++) {
        const run = await up({ [`tailwart:images/${name}`]: nowhere });
        expect(run.code).not.toBe(0);
        expect(said(run)).toContain(nowhere);
      }
      expect(times).toBeGreaterThan(1);
      expect(await sending).toEqual({ taken: 100, refused: [] });
      expect(ids()).toEqual(before);
    },
  );
});

describe("another image for the sidecar", () => {
  test("replaces the sidecar alone: Stalwart's process stays the same one, and mail flows", async () => {
    const before = { ids: ids(), pid: stalwartPid() };
    // The same programs under another reference: the anchor's.
    const run = await up({ "tailwart:images/sidecar": facts.images.anchor });
    expect(run.code, said(run)).toBe(0);
    const after = ids();
    expect(after[container("sidecar")]).not.toBe(before.ids[container("sidecar")]);
    expect({ ...after, [container("sidecar")]: "" }).toEqual({ ...before.ids, [container("sidecar")]: "" });
    expect(stalwartPid()).toBe(before.pid);
    await eventually("a greeting through the edge", 60, greets);
  });
});

describe("a registry that needs a login", () => {
  const USER = "bot";
  const PASSWORD = "registry-password-of-a-test";
  /** `htpasswd -nbB -C 5 bot registry-password-of-a-test` */
  const LINE = `${USER}:$2b$05$abcdefghijklmnopqrstuu3GqMdPOZSQhNZXKy0u6fNIMC3qw7WU.`;
  const image = facts.images.edge.replace(layout.registry, layout.loginRegistry);
  const registries = [{ address: layout.loginRegistry, username: USER }];

  /** The password as the stack's config file holds it. */
  async function encrypted(): Promise<unknown> {
    const kept = await readFile(stack.configFile, "utf8");
    const key = `tailwart:registryPasswords["${layout.loginRegistry}"]`;
    const set = ["config", "set", "--secret", "--path", key, ...stackFlags(stack)];
    await mustPulumi(stack, set, { input: PASSWORD, inNamespace: false });
    const { config } = parse(await readFile(stack.configFile, "utf8")) as { config: Record<string, unknown> };
    await writeFile(stack.configFile, kept);
    return config["tailwart:registryPasswords"];
  }

  test("gives its image to an up that has the login, to no other, and neither touches another container", async () => {
    const stop = await startLoginRegistry(layout, LINE);
    try {
      const before = ids();
      const refused = await up({ "tailwart:images/edge": image });
      expect(refused.code).not.toBe(0);
      expect(said(refused)).toContain(image);
      expect(said(refused)).toMatch(/no basic auth credentials|unauthorized/);
      expect(ids()).toEqual(before);

      const login = { "tailwart:registries": registries, "tailwart:registryPasswords": await encrypted() };
      const run = await up({ "tailwart:images/edge": image, ...login });
      expect(run.code, said(run)).toBe(0);
      expect(said(run)).not.toContain(PASSWORD);
      const after = ids();
      expect(after[container("edge")]).not.toBe(before[container("edge")]);
      expect({ ...after, [container("edge")]: "" }).toEqual({ ...before, [container("edge")]: "" });
      const { stdout } = await mustPulumi(stack, ["stack", "export", "--stack", stack.name]);
      expect(stdout).toContain(image);
      expect(stdout).not.toContain(PASSWORD);
    } finally {
      await stop();
    }
  });
});
