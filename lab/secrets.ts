import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Layout } from "./topology.ts";

/** The lab's generated passwords. */
export interface Secrets {
  postgresPassword: string;
  /** Encrypts the secrets in the lab stack's Pulumi state. */
  pulumiPassphrase: string;
  /** By which Stalwart writes records into the lab's DNS: base64, as TSIG keys are (RFC 8945). */
  tsigKey: string;
}

/** The lab's passwords; made on the first call and kept in state/LAB/secrets.json (mode 0600). */
export function secretsOf(layout: Layout): Secrets {
  const kept = existsSync(layout.secretsFile)
    ? (JSON.parse(readFileSync(layout.secretsFile, "utf8")) as Partial<Secrets>)
    : {};
  const secrets: Secrets = {
    postgresPassword: kept.postgresPassword ?? password(),
    pulumiPassphrase: kept.pulumiPassphrase ?? password(),
    tsigKey: kept.tsigKey ?? randomBytes(32).toString("base64"),
  };
  if (Object.keys(secrets).some((name) => !(name in kept)))
    writeFileSync(layout.secretsFile, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
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
