import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parse, stringify } from "yaml";

import type { LabFacts } from "../../lab/facts.ts";
import { type LabStack, mustPulumi, POLICY_PACK } from "./pulumi-cli.ts";

/** Changes to the lab's config: a path of keys to a value. */
export type Overrides = Record<string, unknown>;

/**
 * The lab's Pulumi.<stack>.yaml: the same keys as production's, with the lab's values.
 * `tailscale:baseUrl` is the only provider setting that production has not. ManageSieve and POP3
 * are left out: the lab's server has no such listeners.
 */
export function labConfig(facts: LabFacts, overrides: Overrides = {}): Record<string, unknown> {
  const config: Record<string, unknown> = {
    "tailscale:baseUrl": facts.apiUrl,
    "tailwart:mailHost": facts.mailHost,
    "tailwart:domains": [{ name: facts.mailDomain }],
    "tailwart:services": ["smtp", "submissions", "submission", "imap", "imaps", "https"],
    "tailwart:accounts": [{ address: `alice@${facts.mailDomain}` }],
    "tailwart:tailnet": {
      domain: facts.tailnetDomain,
      controlUrl: facts.controlUrl,
      env: facts.nodeEnvironment,
      policyFile: facts.policyFile,
      operators: facts.owners,
      tagOwners: facts.owners,
    },
    "tailwart:kvm": { dockerHost: facts.dockerHosts.kvm },
    "tailwart:edges": [
      {
        name: "edge",
        dockerHost: facts.dockerHosts.edge,
        wanAddress: facts.wanAddress,
        sites: [{ host: facts.site }],
        certificates: "internal",
      },
    ],
    // A copy: overrides are put into it.
    "tailwart:images": { ...facts.images },
    "tailwart:stalwart": { line: facts.stalwartLine },
    // Nothing in the lab asks the internet.
    "tailwart:settings": { spamRules: "none", webUi: "none" },
    "tailwart:postgres": {
      host: facts.postgres.host,
      database: facts.postgres.database,
      user: facts.postgres.user,
    },
    "tailwart:relay": { host: facts.relay.host, tls: "tailnet", egress: [facts.relay.egress] },
    "tailwart:acme": [
      {
        id: "pebble",
        directory: facts.acme.directory,
        contact: [facts.acme.contact],
        challenge: "dns-01",
        // Alone: a second name would be proved by a record of the same name, which the first one's
        // would have to make room for.
        names: [`*.${facts.mailDomain}`],
        default: true,
      },
    ],
    "tailwart:dnsProvider": {
      type: "rfc2136",
      host: facts.dns.host,
      keyName: facts.dns.keyName,
      algorithm: facts.dns.algorithm,
    },
    // With the whole stack's going its DKIM records go, too: the next one has a key of its own.
    "tailwart:dns": { write: true, removeOnDestroy: true },
    "tailwart:dkim": { selectors: [{ name: "lab2026", use: "sign" }] },
  };
  for (const [path, value] of Object.entries(overrides)) assign(config, path.split("/"), value);
  return config;
}

function assign(target: Record<string, unknown>, [key = "", ...rest]: string[], value: unknown): void {
  if (rest.length === 0) target[key] = value;
  else assign((target[key] ??= {}) as Record<string, unknown>, rest, value);
}

/**
 * Makes sure of the stack and its config file. Secrets that are in the file already stay as they
 * are encrypted, so that nothing is written, and no passphrase asked, where nothing has changed.
 */
export async function writeStackConfig(
  stack: LabStack,
  facts: LabFacts,
  overrides: Overrides = {},
): Promise<void> {
  await mkdir(stack.backend, { recursive: true, mode: 0o700 });
  const old = await readFile(stack.configFile, "utf8").catch(() => "");
  const before = (old ? parse(old) : {}) as { config?: Record<string, unknown>; encryptionsalt?: string };
  const salt = before.encryptionsalt ?? (await initStack(stack));
  const secrets = {
    "tailwart:postgresPassword": facts.postgres.password,
    "tailwart:dnsSecret": facts.dns.tsigKey,
  };
  const kept = Object.entries(before.config ?? {}).filter(([key]) => key in secrets);
  const config = { ...labConfig(facts, overrides), ...Object.fromEntries(kept) };
  const policies = {
    "relay-target-ipv4-only": { resolver: `${facts.dns.host}:53`, tailnetDomains: [facts.tailnetDomain] },
  };
  await writeFile(stack.policyConfigFile, `${JSON.stringify(policies, null, 2)}\n`);
  const text = stringify({ encryptionsalt: salt, config });
  if (text !== old) await writeFile(stack.configFile, text, { mode: 0o600 });
  for (const [key, value] of Object.entries(secrets))
    if (!(key in config)) await setSecret(stack, key, value);
}

/** Puts a secret, encrypted, into the stack's config file. */
export async function setSecret(stack: LabStack, key: string, value: string): Promise<void> {
  const set = ["config", "set", "--secret", ...stackFlags(stack), key];
  await mustPulumi(stack, set, { input: value, inNamespace: false });
}

/**
 * `stack init` writes Pulumi.<stack>.yaml beside Pulumi.yaml, so it is run beside a copy, outside
 * of the project.
 */
async function initStack(stack: LabStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tailwart-init-"));
  try {
    await writeFile(join(folder, "Pulumi.yaml"), "name: tailwart\nruntime: nodejs\n");
    const options = { cwd: folder, inNamespace: false };
    const listed = await mustPulumi(stack, ["stack", "ls", "--json"], options);
    const known = (JSON.parse(listed.stdout) as { name: string }[]).some(
      ({ name }) => name.split("/").at(-1) === stack.name,
    );
    if (known)
      await mustPulumi(stack, ["stack", "rm", "--force", "--yes", "--preserve-config", stack.name], options);
    await mustPulumi(stack, ["stack", "init", stack.name], options);
    const made = parse(await readFile(join(folder, `Pulumi.${stack.name}.yaml`), "utf8")) as {
      encryptionsalt: string;
    };
    return made.encryptionsalt;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The policy pack, and the config that it needs for a tailnet whose names do not end in ts.net. */
export function policyFlags(stack: LabStack): string[] {
  return ["--policy-pack", POLICY_PACK, "--policy-pack-config", stack.policyConfigFile];
}

/** Flags that every command on the stack takes. */
export function stackFlags(stack: LabStack): string[] {
  return ["--stack", stack.name, "--config-file", stack.configFile];
}
