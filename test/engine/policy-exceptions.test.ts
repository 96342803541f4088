import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRawProgram, type RawProgram } from "./raw-program.ts";

const PACK = resolve(import.meta.dirname, "../../policies/tailwart-policies");
const BAD =
  'for (const name of ["web", "db"]) container(name, { envs: ["DB_HOST=100.101.102.103"], labels: [{ label: "a", value: "b" }] });';
const entry = {
  policy: "no-hardcoded-tailnet-ip",
  urn: "urn:pulumi:raw::*:Container::web",
  reason: "it moves next month",
  expires: "9999-12-31",
};
const EXCEPTED =
  /\[advisory\] \[severity: high\] {2}no-hardcoded-tailnet-ip .*: web\)\n\s+Excepted until 9999-12-31/;
const EXPIRED =
  /\[mandatory\] \[severity: high\] {2}policy-exceptions .*raw-raw\)\n\s+policy-exceptions\.jsonc exceptions\[1\]/;

let raw: RawProgram;
const except = (...exceptions: object[]): void =>
  writeFileSync(join(raw.directory, "policy-exceptions.jsonc"), JSON.stringify({ exceptions }));

beforeAll(async () => {
  raw = await makeRawProgram();
});
afterAll(() => raw?.remove());

describe("the file of exceptions beside a program's Pulumi.yaml", () => {
  test("lets one finding pass, prints what is in force and what matched nothing, and leaves the rest refused", async () => {
    except(entry, { ...entry, urn: "*:Container::gone" });
    const { code, output } = await raw.preview(BAD);
    expect(output).toMatch(EXCEPTED);
    expect(output).toMatch(/\[mandatory\] \[severity: high\] {2}no-hardcoded-tailnet-ip .*: db\)\n\s+envs/);
    expect(output).toMatch(
      /2 exceptions are in force .*\n.*::web until 9999-12-31: it moves next month\n.*\*:Container::gone until/,
    );
    expect(output).toMatch(
      /Exceptions that matched no finding in this run .*\n\s+exceptions\[1\]: .*\*:Container::gone\n/,
    );
    expect(code).not.toBe(0);

    except(entry, { ...entry, urn: "*:Container::db" });
    const excepted = await raw.preview(BAD);
    expect(excepted.output).not.toContain("[mandatory]");
    expect(excepted.output).not.toContain("matched no finding");
    expect(excepted.code).toBe(0);
  });

  test("ends an update before it has made anything when an exception has expired", async () => {
    except(entry, { ...entry, urn: "*:Container::db", expires: "2026-01-31" });
    const { code, output } = await raw.run("up", "--skip-preview", "--yes", "--policy-pack", PACK);
    expect(output).toMatch(EXPIRED);
    expect(output).toContain("expired on 2026-01-31");
    expect(code).not.toBe(0);
    const state = await raw.run("stack", "export");
    expect(state.output).not.toContain("docker:");
  });

  test("holds for a state that is audited too", async () => {
    const stack = "urn:pulumi:raw::raw::pulumi:pulumi:Stack::raw-raw";
    const type = "docker:index/container:Container";
    const inputs = { envs: ["DB_HOST=100.101.102.103"] };
    const resources = [
      { urn: stack, type: "pulumi:pulumi:Stack", custom: false },
      {
        urn: `urn:pulumi:raw::raw::${type}::web`,
        type,
        custom: true,
        id: "a",
        parent: stack,
        inputs,
        outputs: inputs,
      },
    ];
    const manifest = { time: "2026-01-01T00:00:00Z", magic: "", version: "" };
    const file = join(raw.directory, "state.json");
    writeFileSync(file, JSON.stringify({ version: 3, deployment: { manifest, resources } }));
    const audit = () => raw.run("policy", "analyze", "--file", file, "--policy-pack", PACK);
    except(entry);
    expect((await audit()).output).toMatch(EXCEPTED);
    except(entry, { ...entry, urn: "*:Container::db", expires: "2026-01-31" });
    expect((await audit()).output).toMatch(EXPIRED);
  });

  test("is refused before anything is judged when it is wrong, with the key's path and without a stack", async () => {
    except({ ...entry, reason: "", until: "2027-01-31" });
    const { code, output } = await raw.preview(BAD);
    expect(output).toContain("policy-exceptions.jsonc: exceptions[0].until is no key of an exception");
    expect(output).toContain("policy-exceptions.jsonc: exceptions[0].reason accepts a sentence");
    expect(output).not.toMatch(/\n\s+at |Policies:/);
    expect(code).not.toBe(0);
    except();
  });
});

/** The same, read and judged, is tested without an engine in test/policy. */
describe.runIf(process.env["TAILWART_FULL"])("the policy config", () => {
  test("sets a policy's level and severity", async () => {
    const { code, output } = await raw.preview(BAD, {
      "no-hardcoded-tailnet-ip": { enforcementLevel: "advisory", severity: "low" },
    });
    expect(output).toMatch(/\[advisory\] \[severity: low\] {2}no-hardcoded-tailnet-ip .*: db\)\n\s+envs/);
    expect(code).toBe(0);
  });

  test("sets the level of a policy that is told of secrets, and it is told of them all the same", async () => {
    const program = (password: string) =>
      `container("app", { envs: [${password}], labels: [{ label: "a", value: "b" }] });`;
    const config = { "secrets-not-in-plain-sight": "advisory" };
    const plain = await raw.preview(program('"DB_PASSWORD=opensesame-1234"'), config);
    expect(plain.output).toMatch(/\[advisory\] \[severity: critical\] {2}secrets-not-in-plain-sight/);
    expect(plain.code).toBe(0);
    const kept = await raw.preview(program('pulumi.secret("DB_PASSWORD=opensesame-1234")'), config);
    expect(kept.output).toMatch(/docker:index:Container app create/);
    expect(kept.output).not.toContain("secrets-not-in-plain-sight");
  });

  test.each([
    [{ "no-hardcoded-ip": "advisory" }, "no-hardcoded-ip is no policy of this pack; write one of"],
    [
      { "no-hardcoded-tailnet-ip": { level: "low" } },
      "no-hardcoded-tailnet-ip.level is no key of this policy",
    ],
    [
      { "no-hardcoded-tailnet-ip": { severity: "none" } },
      /no-hardcoded-tailnet-ip: severity: .*"low", "medium"/,
    ],
    [{ "policy-exceptions": { file: "gone.jsonc" } }, "gone.jsonc: is not there, and policy-exceptions.file"],
    // The engine's own words: it hands neither of the two over.
    [
      { "no-hardcoded-tailnet-ip": "advised" },
      /"no-hardcoded-tailnet-ip": "advised" is not a valid enforcement/,
    ],
    [{ "no-hardcoded-ip": { severity: "low" } }, 'invalid enforcement level ""'],
  ])("%j is refused with the key's path", async (config, message) => {
    const { code, output } = await raw.preview(BAD, config);
    expect(output).toEqual(
      typeof message === "string" ? expect.stringContaining(message) : expect.stringMatching(message),
    );
    expect(output).not.toMatch(/\n\s+at |Policies:/);
    expect(code).not.toBe(0);
  });
});
