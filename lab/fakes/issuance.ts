import { createHash, X509Certificate } from "node:crypto";

import type { Issuance } from "./certspotter.ts";

/** What certspotter will tell of a certificate in PEM, the first of a chain. */
export function issuanceOf(pem: string, id: number): Issuance {
  const certificate = new X509Certificate(pem);
  const names = (certificate.subjectAltName ?? "").split(", ").map((name) => name.replace(/^DNS:/, ""));
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  return {
    id: String(id),
    tbs_sha256: sha256(signedPart(certificate.raw)),
    cert_sha256: sha256(certificate.raw),
    dns_names: names.sort(),
    pubkey_sha256: sha256(key),
    issuer: { name: certificate.issuer.split("\n").join(", ") },
    not_before: new Date(certificate.validFrom).toISOString(),
    not_after: new Date(certificate.validTo).toISOString(),
  };
}

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** The first element of the outer sequence, with its tag and length (RFC 5280 §4.1). */
function signedPart(der: Buffer): Buffer {
  const start = contentStart(der, 0);
  const inner = contentStart(der, start);
  return der.subarray(start, inner + lengthAt(der, start));
}

const contentStart = (der: Buffer, at: number) => {
  const first = der[at + 1] ?? 0;
  return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
};

function lengthAt(der: Buffer, at: number): number {
  const first = der[at + 1] ?? 0;
  return first < 0x80 ? first : der.readUIntBE(at + 2, first & 0x7f);
}
