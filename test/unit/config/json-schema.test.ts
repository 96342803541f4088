import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import Ajv from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

import { STACK_FILE_SCHEMA, stackFileSchema } from "../../../config/json-schema.ts";

const PROJECT = join(import.meta.dirname, "..", "..", "..");
const read = (path: string) => readFileSync(join(PROJECT, path), "utf8");
const validate = new Ajv({ allErrors: true, unknownFormats: "ignore" }).compile(stackFileSchema());

type File = { config: Record<string, unknown> };
const prod = (): File => parse(read("Pulumi.prod.yaml")) as File;

/** What is wrong with a file: places and words. */
function problems(file: unknown): string[] {
  validate(file);
  return (validate.errors ?? []).map(({ dataPath, message, params }) => {
    const added = "additionalProperty" in params ? `: ${params.additionalProperty}` : "";
    return `${dataPath} ${message}${added}`;
  });
}

const stackFiles = readdirSync(PROJECT).filter((name) => /^Pulumi\.\w+\.yaml$/.test(name));

test.each(stackFiles)("%s is accepted, and names the schema for editors", (name) => {
  expect(problems(parse(read(name)))).toEqual([]);
  expect(read(name)).toMatch(`# yaml-language-server: $schema=./${STACK_FILE_SCHEMA}\n`);
});

describe("a stack file", () => {
  test("may hold secrets as Pulumi encrypts them, one or a map of them", () => {
    const file = prod();
    file.config["tailwart:postgresPassword"] = { secure: "v1:abc:def" };
    file.config["tailwart:registryPasswords"] = { "ghcr.io": { secure: "v1:abc:def" } };
    expect(problems(file)).toEqual([]);
  });

  test("may hold another provider's keys", () => {
    const file = prod();
    file.config["tailscale:tailnet"] = "example.org";
    expect(problems(file)).toEqual([]);
  });

  test.each<[string, string, unknown]>([
    ["an unknown key", "tailwart:mailDomian", "example.org"],
    ["a secret in plain text", "tailwart:postgresPassword", "hunter2"],
    ["a value of another type", "tailwart:relay", { host: "mailbox", tls: "tailnet", port: "587" }],
    ["a word that is none of the accepted", "tailwart:relay", { host: "mailbox", tls: "none" }],
  ])("with %s is refused where it stands", (_, key, value) => {
    const file = prod();
    file.config[key] = value;
    expect(problems(file).join("\n")).toContain(key);
  });

  test("without a required key is refused", () => {
    const { config } = prod();
    const { "tailwart:relay": _, ...rest } = config;
    expect(problems({ config: rest })).toEqual([".config should have required property 'tailwart:relay'"]);
  });
});
