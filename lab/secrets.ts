import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Layout } from "./layout.ts";

/** The lab's generated passwords. */
export interface Secrets {
  postgresPassword: string;
  /** Encrypts the secrets in the lab stack's Pulumi state. */
  pulumiPassphrase: string;
}

/** The lab's passwords; made on the first call and kept in state/LAB/secrets.json (mode 0600). */
export function secretsOf(layout: Layout): Secrets {
  if (!existsSync(layout.secretsFile)) {
    const made: Secrets = { postgresPassword: password(), pulumiPassphrase: password() };
    writeFileSync(layout.secretsFile, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  }
  return JSON.parse(readFileSync(layout.secretsFile, "utf8")) as Secrets;
}

/** The passphrase alone in a file, as PULUMI_CONFIG_PASSPHRASE_FILE wants it. */
export function passphraseFile(layout: Layout): string {
  const file = join(layout.stateDir, "passphrase");
  if (!existsSync(file)) writeFileSync(file, secretsOf(layout).pulumiPassphrase, { mode: 0o600 });
  return file;
}

function password(): string {
  return randomBytes(24).toString("base64url");
}
