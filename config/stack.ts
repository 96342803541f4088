import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

import { loadConfig, type LoadedConfig } from "./load.ts";

/**
 * The running stack's config, parsed.
 *
 * @throws UserError in the words of {@link loadConfig}
 */
export function loadStackConfig(): LoadedConfig {
  // A run parses one config: to compile its schema first, as zod does, takes twice as long as to
  // walk it.
  z.config({ jitless: true });
  const secretKeys = new Set(JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[]);
  return loadConfig(pulumi.runtime.allConfig(), (key) => secretKeys.has(key));
}
