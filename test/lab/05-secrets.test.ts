import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { accountPassword } from "../../cli/parts/mail-round-trip.ts";
import { mustPulumi } from "../../cli/parts/pulumi-cli.ts";
import { container, docker, facts, lab, layout, stack } from "./lab.ts";

/** Every secret of the stack in plain text, by what it is. */
async function secrets(): Promise<[what: string, value: string][]> {
  const { stdout } = await mustPulumi(stack, ["stack", "export", "--show-secrets", "--stack", stack.name]);
  const resources = (
    JSON.parse(stdout) as {
      deployment: { resources: { type: string; urn: string; outputs?: Record<string, unknown> }[] };
    }
  ).deployment.resources;
  const made = resources
    .filter(({ type }) => /RandomPassword|TailnetKey|OauthClient/.test(type))
    .map(({ urn, outputs }) => {
      const value = outputs?.["result"] ?? outputs?.["key"];
      const text =
        typeof value === "object" && value !== null
          ? String(JSON.parse((value as { plaintext: string }).plaintext))
          : String(value);
      return [urn.split("::").at(-1) ?? urn, text] as [string, string];
    });
  return [
    ["Postgres password", facts.postgres.password],
    ["alice's password", await accountPassword(lab, "alice")],
    ["TSIG key", facts.dns.tsigKey],
    ["API key", stack.env["TAILSCALE_API_KEY"] ?? ""],
    ...made,
  ];
}

const all = await secrets();

/** Fails naming the secret, not showing it. */
function expectNone(where: string, text: string): void {
  const found = all.filter(([, value]) => text.includes(value)).map(([what]) => what);
  expect(found, `${where} holds secrets`).toEqual([]);
}

describe("no secret is to be seen", () => {
  test("there are secrets to look for, and the scan would find one", () => {
    expect(all.length).toBeGreaterThanOrEqual(5);
    for (const [what, value] of all) expect(value.length, what).toBeGreaterThan(8);
    expect(() => expectNone("a text", `x${all[0]?.[1]}y`)).toThrow(/Postgres password/);
  });

  test("the file with the accounts' passwords is the owner's alone to read", () => {
    expect(statSync(layout.accountsFile).mode & 0o077).toBe(0);
    expect(readFileSync(layout.accountsFile, "utf8")).toContain(all[1]?.[1]);
  });

  test("in the containers' logs", () => {
    for (const role of ["sidecar", "stalwart"] as const)
      expectNone(role, docker("kvm", "logs", container(role)));
    expectNone("edge", docker("edge", "logs", container("edge")));
  });

  test("in the containers' configuration: arguments, environment, labels", () => {
    for (const role of ["anchor", "sidecar", "stalwart"] as const)
      expectNone(role, docker("kvm", "inspect", container(role)));
    expectNone("edge", docker("edge", "inspect", container("edge")));
  });

  test("in the arguments of any process of the machine", () => {
    const argv = readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .map((pid) => {
        try {
          return readFileSync(join("/proc", pid, "cmdline"), "utf8");
        } catch {
          return "";
        }
      });
    expectNone("a process's arguments", argv.join("\n"));
  });

  test("in the stack's state and config files", () => {
    const files = readdirSync(stack.backend, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const path = join(file.parentPath, file.name);
      if (!/\.(gz|attrs)$/.test(path)) expectNone(path, readFileSync(path, "utf8"));
    }
    expectNone(stack.configFile, readFileSync(stack.configFile, "utf8"));
  });

  test("in the lab's logs", () => {
    for (const name of readdirSync(layout.logDir))
      expectNone(name, readFileSync(join(layout.logDir, name), "utf8"));
  });
});
