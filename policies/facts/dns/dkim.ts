import { createPublicKey } from "node:crypto";

import { tagsOf } from "./txt.ts";
import type { RecordSet, RecordValue } from "./records.ts";

/** The public key of a DKIM record as receivers read it. */
export type DkimKey =
  | { readonly kind: "rsa"; readonly bits: number }
  | { readonly kind: "ed25519" }
  /** An empty `p=`: signatures by the selector are no longer good (RFC 6376 §3.6.1). */
  | { readonly kind: "revoked" }
  /** What is wrong with it, so that no receiver can use it. */
  | { readonly kind: "unusable"; readonly what: string };

const unusable = (what: string): DkimKey => ({ kind: "unusable", what });

/** A selector's name, relative to its zone or not, and the domain that it is of. */
const SELECTOR = /^.+\._domainkey(?:\.(.*))?$/i;

/** The domain of a selector's name, empty for the zone's own; undefined for any other name. */
export function domainOfSelector(name: string): string | undefined {
  const found = SELECTOR.exec(name);
  return found ? (found[1] ?? "") : undefined;
}

/** The values of a set that are DKIM keys: by its name, or while that is unknown by the text. */
export function dkimValues({ type, name, values }: RecordSet): readonly RecordValue[] {
  if (type !== undefined && type !== "TXT") return [];
  if (name === undefined) return values.filter(({ text }) => /^\s*v\s*=\s*DKIM1\b/.test(text));
  return domainOfSelector(name) === undefined ? [] : values;
}

function rsaKey(der: Buffer): DkimKey {
  // Both forms are published: SubjectPublicKeyInfo, and RSAPublicKey as RFC 6376 §3.6.1 has it.
  for (const type of ["spki", "pkcs1"] as const) {
    try {
      const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key: der, format: "der", type });
      if (asymmetricKeyType !== "rsa") return unusable(`is a key of ${asymmetricKeyType}, and k= says rsa`);
      return { kind: "rsa", bits: asymmetricKeyDetails?.modulusLength ?? 0 };
    } catch {
      // The other form, or none.
    }
  }
  return unusable("is no RSA key: it is cut off, or something else");
}

function ed25519Key(raw: Buffer): DkimKey {
  if (raw.length === 32) return { kind: "ed25519" };
  return unusable(`has ${raw.length} bytes, and an ed25519 key is its 32 bytes alone (RFC 8463 §3)`);
}

/** Reads a DKIM record (RFC 6376 §3.6.1). */
export function dkimKeyOf(text: string): DkimKey {
  // Copied from a zone file, semicolons may still be escaped.
  const tags = tagsOf(text.replaceAll("\\;", ";"));
  const version = tags.get("v");
  if (version !== undefined && (version !== "DKIM1" || tags.keys().next().value !== "v"))
    return unusable("does not begin with v=DKIM1");
  const hashes = tags
    .get("h")
    ?.split(":")
    .map((one) => one.trim().toLowerCase());
  if (hashes && !hashes.includes("sha256"))
    return unusable("allows no sha256 in h=, and nothing else is taken (RFC 8301)");
  const key = tags.get("p")?.replaceAll(/\s+/g, "");
  if (key === undefined) return unusable("has no p=, the public key");
  if (key === "") return { kind: "revoked" };
  const type = tags.get("k")?.toLowerCase() ?? "rsa";
  if (type !== "rsa" && type !== "ed25519") return unusable("has a k= that is neither rsa nor ed25519");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return unusable("has a p= that is no base64");
  const bytes = Buffer.from(key, "base64");
  return type === "rsa" ? rsaKey(bytes) : ed25519Key(bytes);
}
