import { isIP } from "node:net";
import type { PolicyConfigSchema, Severity } from "@pulumi/policy";

/** Says what is wrong with a key, and what is accepted instead. Never repeats the value. */
export class PolicySettingsError extends Error {
  constructor(message: string) {
    super(`Policy config: ${message}`);
    this.name = "PolicySettingsError";
    this.stack = this.message; // the SDK prints the stack, and this is a user's mistake
  }
}

/** The error for a key whose value is of the wrong kind. */
export function wrongSetting(path: string, accepts: string, example: string): PolicySettingsError {
  return new PolicySettingsError(`${path} accepts ${accepts}; write for example ${example}`);
}

const SEVERITIES = ["low", "medium", "high", "critical"] as const satisfies readonly Severity[];

/** What every policy's config takes besides `enforcementLevel`, which the engine reads. */
export const COMMON_SCHEMA: NonNullable<PolicyConfigSchema["properties"]> = {
  severity: {
    type: "string",
    enum: [...SEVERITIES],
    description: "Severity of the findings, in place of the policy's own.",
  },
};
const COMMON_KEYS = ["enforcementLevel", ...Object.keys(COMMON_SCHEMA)];

/** Takes the keys that every policy has out of its part of the config. */
export function splitCommonSettings(
  policy: string,
  raw: Readonly<Record<string, unknown>>,
): { severity: Severity | undefined; own: Record<string, unknown> } {
  const { severity, ...own } = raw;
  const known = SEVERITIES.find((each) => each === severity);
  if (severity !== undefined && known === undefined)
    throw wrongSetting(`${policy}.severity`, `one of ${SEVERITIES.join(", ")}`, '"low"');
  return { severity: known, own };
}

/** Refuses keys that the policy does not know: a misspelt one would silently do nothing. */
export function refuseUnknownKeys(
  policy: string,
  raw: Record<string, unknown>,
  known: readonly string[],
): void {
  for (const key of Object.keys(raw)) {
    if (!known.includes(key)) {
      throw new PolicySettingsError(
        `${policy}.${key} is no key of this policy; write one of ${[...known, ...COMMON_KEYS].join(", ")}`,
      );
    }
  }
}

/** True for `address`, `address:port` or `[IPv6]:port`. */
export function isServerAddress(text: string): boolean {
  const [, bracketed, port] = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 && Number(port ?? 53) <= 65_535;
  const [, address = text, plainPort] = /^([^:]+):(\d{1,5})$/.exec(text) ?? [];
  return plainPort === undefined ? isIP(text) !== 0 : isIP(address) === 4 && Number(plainPort) <= 65_535;
}
