/**
 * The values that fields of the desired state accept. Each error says what is accepted, and repeats
 * no value.
 */
import { z } from "zod";

import { classifyHost } from "../addresses.ts";
import { SECRET_DIRECTORY } from "../stalwart/paths.ts";

const NAME = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

/**
 * Stalwart's own TOML parser has no safe spelling for quotes and backslashes, so they are refused.
 */
export const plain = (accepts: string) =>
  z
    .string({ error: `accepts ${accepts}` })
    .min(1, { error: `accepts ${accepts}` })
    .refine((text) => !/["'\\\u0000-\u001f]/.test(text), {
      error: `accepts ${accepts}, without quotes, backslashes and line breaks`,
    })
    .meta({ accepts });

export const name = (what: string) =>
  z
    .string({ error: `accepts ${what}: a-z, 0-9 and dashes` })
    .regex(NAME, { error: `accepts ${what}: a-z, 0-9 and dashes` })
    .meta({ accepts: "a-z, 0-9 and dashes" });

export const port = z
  .int({ error: "accepts a port number from 1 to 65535" })
  .min(1, { error: "accepts a port number from 1 to 65535" })
  .max(65535, { error: "accepts a port number from 1 to 65535" })
  .meta({ accepts: "a port number" });

export const domain = z
  .string({ error: "accepts a domain, such as example.org" })
  .refine((text) => classifyHost(text) === "name" && text.includes(".") && !text.endsWith("."), {
    error: "accepts a domain, such as example.org",
  })
  .transform((text) => text.toLowerCase())
  .meta({ accepts: "a domain" });

/** A name, or every name of a domain. */
export const namePattern = z
  .string({ error: "accepts a domain, or *. and a domain" })
  .refine(
    (text) => {
      const bare = text.replace(/^\*\./, "");
      return classifyHost(bare) === "name" && bare.includes(".") && !bare.endsWith(".");
    },
    { error: "accepts a domain, or *. and a domain, such as *.example.org" },
  )
  .transform((text) => text.toLowerCase());

export const hostName = z
  .string({ error: "accepts a host name" })
  .refine((text) => classifyHost(text) === "name", { error: "accepts a host name, not an address" })
  .meta({ accepts: "a host name" });

export const secretFile = z
  .string({ error: `accepts a path below ${SECRET_DIRECTORY}` })
  .regex(/^\/etc\/stalwart\/secrets\/[A-Za-z0-9._-]+$/, {
    error: `accepts a path below ${SECRET_DIRECTORY}`,
  })
  .meta({ accepts: `a path below ${SECRET_DIRECTORY}` });

/** What a field for a secret's file accepts. */
export const secretBelow = (...names: string[]) => ({
  accepts: `a path below ${SECRET_DIRECTORY}`,
  examples: names.map((file) => SECRET_DIRECTORY + file),
});

/** What is wrong with an address or CIDR range, or nothing. */
function networkProblem(text: string): string | undefined {
  const [address = "", prefix, ...rest] = text.split("/");
  const kind = classifyHost(address);
  if (rest.length > 0 || !/^[0-9a-fA-F.:]+$/.test(address) || kind === "name" || kind === "invalid") {
    return "accepts an IP address or a CIDR range, such as 100.64.0.0/10";
  }
  const bits = address.includes(":") ? 128 : 32;
  if (prefix === undefined) return undefined;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) >= 8 && Number(prefix) <= bits
    ? undefined
    : `accepts a prefix length from 8 to ${bits}`;
}

export const network = z
  .string({ error: "accepts an IP address or a CIDR range" })
  .superRefine((text, context) => {
    const problem = networkProblem(text);
    if (problem) context.addIssue({ code: "custom", message: problem });
  });

export const trustedNetwork = network.refine(
  (text) => !/^127\./.test(text) && !/^(0*:)+0*1(\/|$)/.test(text) && !/^::ffff:127\./i.test(text),
  {
    error:
      "includes loopback: Stalwart then demands a PROXY header of its own health check (docjyJ/aio-stalwart#124); accepts the proxies' networks",
  },
);

export const rate = z.union(
  [z.string().regex(/^[1-9]\d*\/[1-9]\d*[smhd]$/, { error: 'accepts "100/1d" or false' }), z.literal(false)],
  { error: 'accepts a rate such as "100/1d" (count per period), or false for never' },
);

/** A time such as "1d". */
export const duration = z
  .string({ error: 'accepts a time such as "1d": a number and s, m, h or d' })
  .regex(/^[1-9]\d*[smhd]$/, { error: 'accepts a time such as "1d": a number and s, m, h or d' })
  .meta({ accepts: "a number and s, m, h or d" });

/** How a relay's TLS is had; the config and the settings share the words. */
export const relayTls = z
  .enum(["implicit", "starttls", "tailnet"], { error: 'accepts "implicit", "starttls" or "tailnet"' })
  .describe(
    "implicit: TLS from the first byte, verified. starttls: STARTTLS demanded and verified. tailnet: the certificate is not " +
      "verified, because WireGuard has already proved the peer; for MagicDNS names only.",
  );

/**
 * Why a host cannot be a relay of this generation, or nothing when it can.
 *
 * @param host a name without port
 * @example relayHostProblem("mailbox.tail7b1641.ts.net") === undefined
 * @see stalwart-lite 0.16.0 smtp/src/outbound/mod.rs (A, then AAAA, no choice for relays) and
 *   lookup.rs (a literal is looked up as a name)
 */
export function relayHostProblem(host: string): string | undefined {
  switch (classifyHost(host)) {
    case "name":
      return undefined;
    case "ipv6":
    case "tailnet-ipv6":
      return "is an IPv6 address, and Stalwart's namespace has no IPv6 (lesson 8); accepts a host name with an A record";
    case "tailnet-ipv4":
      return "is a tailnet address, which changes when the node registers anew (lesson 6); accepts its MagicDNS name";
    case "ipv4":
      return "is an IPv4 address, which Stalwart's 0.15 line looks up in DNS as if it were a name; accepts a host name";
    default:
      return "accepts a host name, such as mailbox.tail7b1641.ts.net";
  }
}

/** A smarthost's name. */
export const relayHost = z
  .string({ error: "accepts a host name" })
  .superRefine((host, context) => {
    const problem = relayHostProblem(host);
    if (problem) context.addIssue({ code: "custom", message: problem });
  })
  .describe("The smarthost: its MagicDNS name, or a name that has an A record only (lessons 6 and 8).");
