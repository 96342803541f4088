import { createPublicKey } from "node:crypto";

/** What a key of DKIM may be of: RSA, which every receiver knows, and that of RFC 8463. */
export const DKIM_ALGORITHMS = ["rsa", "ed25519"] as const;
export type DkimAlgorithm = (typeof DKIM_ALGORITHMS)[number];

/** Bits that an RSA key of DKIM has at least to be believed (RFC 8301 §3.2). */
const FEWEST_BITS = 1024;

/**
 * What the record of a DKIM key says; its name is `<selector>._domainkey.<domain>`.
 *
 * @param pem the public key, as `openssl pkey -pubout` writes it
 * @throws TypeError for what is no public key of RSA or ed25519, RangeError for one that receivers
 *   do not believe
 * @example dkimRecord(pem) // "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A…"
 * @see RFC 6376 §3.6.1, RFC 8463 §4
 */
export function dkimRecord(pem: string): string {
  // Of a private key Node would make the public one, and the caller has mixed them up.
  if (!/^-----BEGIN (RSA )?PUBLIC KEY-----$/m.test(pem)) throw new TypeError("this is no public key in PEM");
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType === "ed25519") {
    // The 32 bytes of the key alone, without the structure that RSA's stands in.
    const raw = Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");
    return `v=DKIM1; k=ed25519; p=${raw.toString("base64")}`;
  }
  if (key.asymmetricKeyType !== "rsa")
    throw new TypeError(`this key is of ${key.asymmetricKeyType}; DKIM has ${DKIM_ALGORITHMS.join(", ")}`);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < FEWEST_BITS)
    throw new RangeError(`this key has ${bits} bits; receivers believe from ${FEWEST_BITS} on`);
  return `v=DKIM1; k=rsa; p=${key.export({ type: "spki", format: "der" }).toString("base64")}`;
}

/**
 * Whether a published text is the record of the same key, however its tags are spelled
 * (RFC 6376 §3.2). Without `k=` it is of RSA.
 *
 * @example isDkimRecord("k=rsa; p=MII…", "v=DKIM1; k=rsa; p=MII…") === true
 */
export function isDkimRecord(published: string, record: string): boolean {
  const tagIn = (text: string, tag: string) =>
    new RegExp(`(?:^|;)\\s*${tag}\\s*=([^;]*)`).exec(text)?.[1]?.replaceAll(/\s+/g, "");
  const [key, kind] = [tagIn(published, "p"), tagIn(published, "k") ?? "rsa"];
  return key !== undefined && key !== "" && key === tagIn(record, "p") && kind === tagIn(record, "k");
}
