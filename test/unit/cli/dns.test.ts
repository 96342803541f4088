import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";

import type { MailRecords } from "../../../lib/dns/mail-records.ts";
import { validConfig } from "../../fixtures/config.ts";
import { runDnscontrol } from "../lib/dns/dnscontrol.ts";

const PROJECT = join(import.meta.dirname, "../../..");

let state: string;
beforeAll(() => {
  state = mkdtempSync(join(tmpdir(), "tailwart-dns-"));
});
afterAll(() => rmSync(state, { recursive: true }));

/** Runs the command with an environment that holds no credential; nothing listens for it. */
function dns(...args: string[]) {
  const env = { PATH: process.env["PATH"] ?? "", HOME: state, TAILWART_STATE: state };
  const command = [join(PROJECT, "cli/dns.ts"), ...args];
  return spawnSync(process.execPath, command, { cwd: PROJECT, encoding: "utf8", env });
}

/** A stack as `npm run up` leaves it in a lab's folder. */
function deployInLab(name: string, more: object = {}): void {
  const keys = Object.entries({ ...validConfig(), ...more }).map(([key, value]) => [
    `tailwart:${key}`,
    value,
  ]);
  const config = {
    ...(Object.fromEntries(keys) as object),
    "tailwart:postgresPassword": { secure: "v1:abc" },
  };
  mkdirSync(join(state, name), { recursive: true });
  writeFileSync(join(state, name, `Pulumi.${name}.yaml`), stringify({ config }));
}

describe("production's file, with no secret set yet,", () => {
  test("is a table of 80 columns, with what is missing", () => {
    const { status, stdout, stderr } = dns("--stack", "prod");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^ {4}MX {4}example\.org +10 mail\.example\.org\.$/m);
    expect(stdout).toMatch(/^Missing:\n {2}DKIM: example\.org: /m);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("is the same in each format", () => {
    const told = (JSON.parse(dns("--stack", "prod", "--json").stdout) as MailRecords).records.map(
      ({ name, type, ...rest }) => `${name} ${type} ${(rest as unknown as { data: string }).data}`,
    );
    const zone = dns("--stack", "prod", "--format", "zone").stdout;
    const lines = zone.split("\n").filter((line) => line !== "" && !line.startsWith(";"));
    expect(lines.map((line) => line.replace(". IN ", " "))).toEqual(told);
    const snippet = dns("--stack", "prod", "--format", "dnscontrol").stdout;
    expect(runDnscontrol(snippet, ["example.org"])).toEqual(told);
    expect(told.length).toBeGreaterThan(15);
  });
});

describe("exit codes:", () => {
  test("0 for a lab's stack, whose secrets stay closed", () => {
    deployInLab("one");
    const { status, stdout } = dns("--name", "one", "--format", "zone");
    expect(status).toBe(0);
    expect(stdout).toContain("mail.example.org. IN A 198.51.100.7\n");
    expect(stdout).toContain("; DNS records for the mail of the stack one.");
  });

  test("0 at a provider that cannot hold all of them, and prints those that it can", () => {
    deployInLab("held", { dnsProvider: { type: "spaceship", apiKey: "key" }, dns: { write: true } });
    const { status, stdout } = dns("--name", "held", "--format", "zone");
    expect(status).toBe(0);
    expect(stdout).toContain(" IN SRV 0 1 993 ");
    expect(stdout).not.toContain(" IN SRV 0 0 0 ");
  });

  test.each([
    [
      "a lab without a stack",
      ["--name", "nosuchlab"],
      /no stack is deployed.*\n.*npm run up -- --name nosuchlab/,
    ],
    ["a stack without a file", ["--stack", "nosuch"], /there is no Pulumi\.nosuch\.yaml here/],
  ])("1 for %s", (_what, args, says) => {
    const { status, stdout, stderr } = dns(...args);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(says);
  });

  test("1 for a config that a deploy would refuse, in its words", () => {
    deployInLab("two", { relay: { host: "mailbox", tls: "tailnet", egress: ["10.0.0.1"] } });
    const { status, stdout, stderr } = dns("--name", "two");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/tailwart:relay\.egress\[0\] .*accepts public IP addresses/);
  });

  test.each([["--format", "yaml"], ["--zone"], ["prod"]])("2 for %s %s", (...args) => {
    const { status, stdout, stderr } = dns(...args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: npm run dns");
  });

  test("0 for --help, which names every format and fits 80 columns", () => {
    const { status, stdout } = dns("--help");
    expect(status).toBe(0);
    for (const format of ["table", "zone", "dnscontrol", "json"]) expect(stdout).toContain(`  ${format} `);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });
});

describe("docs/deliverability.md", () => {
  const page = readFileSync(join(PROJECT, "docs/deliverability.md"), "utf8");
  const commands = [...page.matchAll(/^ {4}(npm run dns.*?)(?: +#.*)?$/gm)].map(
    ([, command = ""]) => command,
  );

  test("shows the command in each format", () => expect(commands.length).toBeGreaterThanOrEqual(4));

  test.each(commands)("`%s` does what it says", (command) => {
    const made = join(state, "made");
    mkdirSync(made, { recursive: true });
    const [, file] = /> (\S+)$/.exec(command) ?? [];
    const env = { PATH: process.env["PATH"] ?? "", HOME: state, TAILWART_STATE: state };
    const words = file ? command.replace(/\S+$/, join(made, file)) : command;
    const done = spawnSync("sh", ["-c", words.replace("npm run dns", "npm run --silent dns")], {
      cwd: PROJECT,
      encoding: "utf8",
      env,
    });
    expect([done.status, done.stderr]).toEqual([0, ""]);
    expect(file ? readFileSync(join(made, file), "utf8") : done.stdout).toContain("example.org");
  });

  test("explains every record that the command prints", () => {
    const { records, notes } = JSON.parse(dns("--stack", "review", "--json").stdout) as MailRecords;
    for (const type of new Set(records.map((each) => each.type))) expect(page).toContain(`| ${type} |`);
    for (const { what } of notes) expect(page).toContain(/^[\w-]+/.exec(what)?.[0]);
  });
});
