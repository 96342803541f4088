import { z } from "zod";

import { isMagicDnsName } from "../lib/addresses.ts";
import { UserError } from "../lib/errors.ts";
import { certificateProblems } from "./problems/certificates.ts";
import { dnsProblems } from "./problems/dns.ts";
import { edgeProblems } from "./problems/edges.ts";
import { guardProblems } from "./problems/guards.ts";
import { keyPath, NAMESPACE, type Problem } from "./key-path.ts";
import { mailboxProblems } from "./problems/mailboxes.ts";
import { metadataOf, partsFor, unwrap } from "../lib/zod-metadata.ts";
import { type Config, configSchema } from "./schema.ts";
import { secretSchema } from "./schema/secrets.ts";
import { registryProblems } from "./problems/registries.ts";
import { environmentProblems, lineProblems } from "./stalwart-release.ts";
import { storeProblems } from "./problems/stores.ts";
import { tailnetProblems } from "./problems/tailnet.ts";

export { NAMESPACE } from "./key-path.ts";

/** Old keys → what is written now. */
const MOVED: Readonly<Record<string, string>> = {
  "tailwart:mailDomain": "is an entry of domains now; accepts tailwart:domains: [{ name: example.org }]",
  "tailwart:edge":
    "is an entry of edges now; accepts tailwart:edges: [{ name: edge, dockerHost: …, wanAddress: … }], whose name edge keeps what is deployed",
  "tailwart:settings.publishRecords":
    "is each domain's own now; accepts tailwart:domains: [{ name: example.org, publishRecords: [dkim] }]",
  "tailwart:settings.adminUi":
    "is webUi now, and off unless named; accepts tailwart:settings.webUi: upstream",
  "tailwart:stalwart.watch": "is always on; leave it out",
  "tailwart:accounts[].name": "is the whole address now; accepts address: alice@example.org",
};

/** The whole of the stack's config after parsing. */
export interface LoadedConfig {
  config: Config;
  secrets: z.infer<typeof secretSchema>;
}

/**
 * Parses a stack's config before any resource exists (decision 2).
 *
 * @param raw every key of the stack's config as Pulumi hands it over, `namespace:key` → text
 * @param isSecret whether a key was stored with `--secret`
 * @throws UserError that names each wrong key's path, what it accepts and an example; never a value
 */
export function loadConfig(raw: Record<string, string>, isSecret: (key: string) => boolean): LoadedConfig {
  const plain: Record<string, unknown> = {};
  const secrets: Record<string, unknown> = {};
  const findings: Problem[] = [];

  for (const [fullKey, text] of Object.entries(raw)) {
    if (!fullKey.startsWith(`${NAMESPACE}:`)) continue;
    const key = fullKey.slice(NAMESPACE.length + 1);
    if (key in secretSchema.shape) {
      secrets[key] = text;
      if (!isSecret(fullKey)) {
        findings.push({
          path: fullKey,
          message: "is stored in plain text; accepts a secret only",
          example: `pulumi config set --secret ${fullKey}`,
        });
      }
    } else if (isSecret(fullKey)) {
      findings.push({
        path: fullKey,
        message: "is stored as a secret, which hides it from review; accepts a plain value",
      });
    } else {
      plain[key] = parseValue(key, text, findings);
    }
  }

  const parsed = configSchema.safeParse(plain);
  const parsedSecrets = secretSchema.safeParse(secrets);
  if (!parsed.success)
    findings.push(...parsed.error.issues.flatMap((issue) => describeIssue(issue, configSchema, plain)));
  if (!parsedSecrets.success) {
    findings.push(
      ...parsedSecrets.error.issues.map((issue) => ({
        path: keyPath(issue.path),
        message: issue.code === "custom" ? issue.message : "is missing; accepts a secret",
        example: `pulumi config set --secret ${keyPath(issue.path)}`,
      })),
    );
  }
  if (parsed.success) findings.push(...crossChecks(parsed.data, secrets));
  if (parsed.success && parsedSecrets.success)
    findings.push(...registryProblems(parsed.data, parsedSecrets.data.registryPasswords ?? {}));
  if (findings.length > 0 || !parsed.success || !parsedSecrets.success) throw refusal(findings);
  return { config: parsed.data, secrets: parsedSecrets.data };
}

/** A structured value arrives as JSON; a key whose schema is text stays text. */
function parseValue(key: string, text: string, findings: Problem[]): unknown {
  const schema = configSchema.shape[key as keyof Config] as z.ZodType | undefined;
  if (schema === undefined || baseType(schema) === "string") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    findings.push({ path: `${NAMESPACE}:${key}`, message: "is text; accepts a YAML map or list" });
    return undefined;
  }
}

/** What no single key can tell: rules between keys. */
function crossChecks(config: Config, secrets: Record<string, unknown>): Problem[] {
  const findings: Problem[] = [];
  const { relay, tailnet, kvm } = config;
  if (relay.tls === "tailnet" && !isMagicDnsName(relay.host, tailnet.domain)) {
    findings.push({
      path: "tailwart:relay.tls",
      message: `is "tailnet", but relay.host is not a MagicDNS name of ${tailnet.domain}, so its certificate must be verified; accepts "starttls" or "implicit" here`,
      example: "starttls",
    });
  }
  findings.push(
    ...lineProblems(config),
    ...environmentProblems(config),
    ...mailboxProblems(config),
    ...tailnetProblems(tailnet),
    ...edgeProblems(config),
    ...guardProblems(config),
    ...certificateProblems(config, secrets),
    ...dnsProblems(config),
    ...storeProblems(config, secrets),
  );
  if (relay.username !== undefined && !("relayPassword" in secrets)) {
    findings.push({
      path: "tailwart:relayPassword",
      message: "is missing, while relay.username is set; accepts a secret",
      example: "pulumi config set --secret tailwart:relayPassword",
    });
  }
  if (kvm.startUnit === "systemd" && !kvm.dockerHost.startsWith("ssh://")) {
    findings.push({
      path: "tailwart:kvm.startUnit",
      message:
        'is "systemd", which is installed over ssh, but kvm.dockerHost is a socket; accepts "none" here',
      example: "none",
    });
  }
  return findings;
}

function describeIssue(issue: z.core.$ZodIssue, root: z.ZodType, input: unknown): Problem[] {
  if (issue.code === "unrecognized_keys") {
    const accepted = acceptedKeys(root, issue.path, input);
    return issue.keys.map((key) => {
      const path = keyPath([...issue.path, key]);
      const moved = MOVED[path.replace(/\[\d+\]/g, "[]")];
      return { path, message: moved ?? `is not a key that tailwart knows; accepts ${accepted.join(", ")}` };
    });
  }
  const schema = schemaAt(root, issue.path, input);
  const meta = schema && metadataOf(schema);
  const missing = valueAt(input, issue.path) === undefined;
  const accepts = meta?.accepts ?? (schema ? `a ${kindOf(schema)}` : undefined);
  const fallback = accepts ? `accepts ${accepts}` : issue.message;
  const ours = issue.code === "custom" || issue.message.startsWith("accepts ");
  const message = missing
    ? `is missing; ${fallback}`
    : ours
      ? issue.message
      : `is ${classOf(valueAt(input, issue.path))}; ${fallback}`;
  return [
    {
      path: keyPath(issue.path),
      message,
      ...(meta?.examples?.[0] === undefined ? {} : { example: meta.examples[0] }),
    },
  ];
}

/** The class of a value, never the value: a key may hold a secret by mistake. */
function classOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value === null) return "empty";
  return typeof value === "object" ? "a map" : typeof value === "string" ? "text" : `a ${typeof value}`;
}

function kindOf(schema: z.ZodType): string {
  const type = baseType(schema);
  return type === "object" || type === "record" ? "map" : type === "array" ? "list" : type;
}

function baseType(schema: z.ZodType): string {
  return unwrap(schema).def.type;
}

function schemaAt(root: z.ZodType, path: readonly PropertyKey[], input: unknown): z.ZodType | undefined {
  return path.reduce<z.ZodType | undefined>((schema, key, i) => {
    const parts = schema ? partsFor(schema, valueAt(input, path.slice(0, i))) : [];
    return parts.find(({ step }) => step.kind === "entry" || (step.kind === "key" && step.name === key))
      ?.schema;
  }, root);
}

function acceptedKeys(root: z.ZodType, path: readonly PropertyKey[], input: unknown): string[] {
  const schema = schemaAt(root, path, input);
  const parts = schema ? partsFor(schema, valueAt(input, path)) : [];
  const keys = parts.flatMap(({ step }) => (step.kind === "key" ? step.name : []));
  return path.length === 0 ? [...keys, ...Object.keys(secretSchema.shape)] : keys;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step], input);
}

function refusal(findings: Problem[]): UserError {
  const unique = new Map(findings.map((finding) => [`${finding.path} ${finding.message}`, finding]));
  const lines = [...unique.values()].map(({ path, message, example }) => {
    const shown =
      example === undefined
        ? ""
        : `\n    for example: ${typeof example === "string" ? example : JSON.stringify(example)}`;
    return `  ${path} ${message}${shown}`;
  });
  const count = lines.length === 1 ? "One key" : `${lines.length} keys`;
  return new UserError(
    `${count} of the stack's config must be mended; nothing was changed.\n${lines.join("\n")}`,
    {
      ...(findings[0] ? { path: findings[0].path } : {}),
    },
  );
}
