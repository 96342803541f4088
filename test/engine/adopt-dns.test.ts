// `npm run adopt -- dns` on a stack that was never deployed, and a zone that others have filled.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";

import { validConfig } from "../fixtures/config.ts";
import { Knot } from "./knot.ts";
import { requirePulumi } from "./toolchain.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const MX = "example.org MX";

let knot: Knot;
let folder: string;
let file: string;
const env = () => ({
  ...requirePulumi([]).env,
  PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
  PULUMI_CONFIG_PASSPHRASE: "test",
});

const run = (program: string, args: readonly string[], cwd: string) =>
  new Promise<{ code: unknown; stdout: string; stderr: string }>((done) => {
    execFile(program, [...args], { cwd, env: env() }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
const adopt = (...args: string[]) =>
  run(
    process.execPath,
    ["cli/adopt.ts", "dns", "--stack", "foreign", "--config-file", file, ...args],
    PROJECT,
  );

beforeAll(async () => {
  knot = await Knot.start({
    "example.org":
      'example.org. MX 5 mx.old.example.\nexample.org. TXT "v=spf1 mx -all"\nexample.org. TXT "site=verified"\n',
  });
  folder = mkdtempSync(join(tmpdir(), "tailwart-adopt-"));
  mkdirSync(join(folder, "state"));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: tailwart\nruntime: nodejs\n");
  const init = await run(requirePulumi([]).pulumi, ["stack", "init", "foreign", "--non-interactive"], folder);
  expect(init.code, init.stderr).toBe(0);
  file = join(folder, "config.yaml");
  const config = {
    ...validConfig(),
    relay: { host: "mailbox", tls: "tailnet", egress: ["192.0.2.25"] },
    dns: { servers: [`127.0.0.1:${knot.port}`] },
    postgresPassword: { secure: "v1:abc" },
  };
  const keys = Object.entries(config).map(([key, value]) => [`tailwart:${key}`, value]);
  writeFileSync(file, `# Ours.\n${stringify({ config: Object.fromEntries(keys) as object })}`);
});
afterAll(async () => {
  await knot?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const adopted = () =>
  (parse(readFileSync(file, "utf8")) as { config: Record<string, { adopt?: string[] }> }).config[
    "tailwart:dns"
  ]?.adopt;

test("what others have set is shown beside what is wanted, and the config takes what is named alone", async () => {
  const before = readFileSync(file, "utf8");
  const shown = await adopt();
  expect(shown.stdout, shown.stderr).toBe(
    [
      "These are not the stack's, and stop a deploy that writes its records:",
      `  ${MX}`,
      "    there is: 5 mx.old.example.",
      "    wanted:   10 mail.example.org.",
      "  example.org TXT",
      "    there is: v=spf1 mx -all",
      "    wanted:   v=spf1 ip4:192.0.2.25 ~all",
      "",
    ].join("\n"),
  );
  expect(shown.code).toBe(3);
  expect(readFileSync(file, "utf8")).toBe(before);

  const stranger = await adopt("example.org A");
  expect(stranger.code).toBe(1);
  expect(stranger.stderr).toContain("example.org A is in nobody's way");
  expect(readFileSync(file, "utf8")).toBe(before);

  const one = await adopt(MX);
  expect(one.code, one.stderr).toBe(3);
  expect(one.stdout).toContain(`: ${MX}\n`);
  expect(adopted()).toEqual([MX]);

  const rest = await adopt("--all");
  expect(rest.code, rest.stderr).toBe(0);
  expect(adopted()).toEqual([MX, "example.org TXT"]);
  expect(readFileSync(file, "utf8")).toMatch(/^# Ours\.\n/);
  expect((await adopt()).stdout).toBe("Nothing is in the way of the stack's records.\n");
});
