import { createPublicKey } from "node:crypto";

/** Bits that an RSA key of DKIM has at least to be believed (RFC 8301 §3.2). */
const FEWEST_BITS = 1024;

/**
 * What the record of a DKIM key says; its name is `<selector>._domainkey.<domain>`. RSA alone: not
 * every receiver knows ed25519 (lesson 19).
 *
 * @param pem the public key, as `openssl rsa -pubout` writes it
 * @throws TypeError for what is no RSA public key, RangeError for one that receivers do not believe
 * @example dkimRecord(pem) // "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A…"
 * @see RFC 6376 §3.6.1
 */
export function dkimRecord(pem: string): string {
  // Of a private key Node would make the public one, and the caller has mixed them up.
  if (!/^-----BEGIN (RSA )?PUBLIC KEY-----$/m.test(pem)) throw new TypeError("this is no public key in PEM");
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== "rsa")
    throw new TypeError(`this key is of ${key.asymmetricKeyType}; not every receiver knows it (lesson 19)`);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < FEWEST_BITS)
    throw new RangeError(`this key has ${bits} bits; receivers believe from ${FEWEST_BITS} on`);
  return `v=DKIM1; k=rsa; p=${key.export({ type: "spki", format: "der" }).toString("base64")}`;
}

/**
 * Whether a published text is the record of the same key, however its tags are spelled
 * (RFC 6376 §3.2).
 *
 * @example isDkimRecord("k=rsa; p=MII…", "v=DKIM1; k=rsa; p=MII…") === true
 */
export function isDkimRecord(published: string, record: string): boolean {
  const keyIn = (text: string) => /(?:^|;)\s*p\s*=([^;]*)/.exec(text)?.[1]?.replaceAll(/\s+/g, "");
  const key = keyIn(published);
  return key !== undefined && key !== "" && key === keyIn(record);
}
