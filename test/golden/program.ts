import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { vi } from "vitest";
import { parse } from "yaml";

import { type Registered, registered } from "../unit/components/mocks.ts";

const PROJECT = join(import.meta.dirname, "..", "..");

/** The config of a Pulumi.<stack>.yaml as the engine hands it to a program. */
export function configOf(file: string): Record<string, string> {
  const { config } = parse(readFileSync(join(PROJECT, file), "utf8")) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** Everything that index.ts registers for a config, without an engine. */
export function resourcesOf(
  config: Record<string, string>,
  secrets: Record<string, string>,
  made?: (type: string, name: string) => void,
): Promise<Registered[]> {
  pulumi.runtime.setAllConfig({ ...config, ...secrets }, Object.keys(secrets));
  // The engine passes both to the program's process.
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(Object.keys(secrets));
  // A program runs once in its process; here the tests' files share one.
  vi.resetModules();
  return registered(() => import("../../index.ts"), made);
}
