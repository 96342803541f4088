import { z } from "zod";

import { isIPv4 } from "node:net";

import { notPublic } from "../../lib/address-ranges.ts";
import { classifyHost } from "../../lib/addresses.ts";

/** True for a DNS name of at least two labels (RFC 1123 §2.1), such as `mail.example.org`. */
export function isDnsName(value: string): boolean {
  return isHostName(value) && value.includes(".");
}

/** True for one DNS label or a DNS name: what MagicDNS accepts as a machine's name. */
export function isHostName(value: string): boolean {
  return classifyHost(value) === "name" && !value.endsWith(".");
}

/** A zod rule whose message carries an example, so that an error can say what to write instead. */
export function described(accepts: string, example: string, test: (value: string) => boolean) {
  return z
    .string({ error: `accepts ${accepts}` })
    .refine(test, { error: `accepts ${accepts}` })
    .meta({ accepts, examples: [example] });
}

/** A DNS name of at least two labels. @example dnsName("mail.example.org") */
export const dnsName = (example: string) => described("a DNS name of two labels or more", example, isDnsName);

/** A machine's bare MagicDNS name or a DNS name; never an address (lesson 6). */
export const hostName = (example: string) =>
  described("a host's DNS or MagicDNS name, not an address", example, isHostName);

const isPublicIPv4 = (text: string): boolean => isIPv4(text) && notPublic(text) === undefined;

/** A public IPv4 address. @example ipv4Address("198.51.100.7") */
export const ipv4Address = (example: string) =>
  described(
    "a public IPv4 address, none of a private network, loopback or the tailnet",
    example,
    isPublicIPv4,
  );

/**
 * True for `host:port`, the host no tailnet address (lesson 6).
 * @example isUpstream("127.0.0.1:8443")
 */
export function isUpstream(text: string): boolean {
  const [, host = "", port] = /^([\w.-]+):(\d{1,5})$/.exec(text) ?? [];
  return ["name", "ipv4"].includes(classifyHost(host)) && Number(port) >= 1 && Number(port) <= 65535;
}

/** A tag as the policy file spells it. */
export const tag = (example: string) =>
  described("a Tailscale tag: tag: and then letters, digits or dashes", example, (v) =>
    /^tag:[a-zA-Z][a-zA-Z0-9-]*$/.test(v),
  );

/** A TCP port that has a default. */
export const port = (fallback: number) =>
  z
    .int({ error: "accepts a port number from 1 to 65535" })
    .min(1, { error: "accepts a port number from 1 to 65535" })
    .max(65535, { error: "accepts a port number from 1 to 65535" })
    .default(fallback)
    .meta({ accepts: "a port number from 1 to 65535", examples: [fallback] });

/**
 * An image pinned by digest: the tag may stay for readers, the digest decides (OCI image spec,
 * "Digests").
 */
export const pinnedImage = (example: string) =>
  described("an image with its sha256 digest, name[:tag]@sha256:<64 hex digits>", example, (v) =>
    /^[a-z0-9][a-z0-9._\-/:]*@sha256:[0-9a-f]{64}$/.test(v),
  );

/** Where a Docker daemon listens: `ssh://[user@]host[:port]` or `unix:///absolute/path`. */
export const dockerHost = described(
  "ssh://[user@]host[:port] or unix:///path/to/docker.sock",
  "ssh://root@kvm.example.org",
  (v) => /^ssh:\/\/(?:[\w.-]+@)?[\w.-]+(?::\d{1,5})?$/.test(v) || /^unix:\/\/\/[^\s]+$/.test(v),
);
