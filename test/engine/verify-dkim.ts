import { createHash, createPublicKey, verify } from "node:crypto";

/** A DKIM signature as a receiver judges it (RFC 6376 §3.4, §6.1; RFC 8463 §3). */
export interface Judged {
  result: "pass" | "fail";
  algorithm: string;
  domain: string;
  selector: string;
}

const tagsOf = (text: string) =>
  new Map(
    text.split(";").flatMap((tag) => {
      const [, name = "", value = ""] = /^\s*(\w+)\s*=\s*([^]*?)\s*$/.exec(tag) ?? [];
      return name === "" ? [] : [[name, value.replace(/\s+/g, "")] as const];
    }),
  );
/** §3.4.2 */
const relaxedHeader = (field: string) => {
  const [, name = "", value = ""] = /^([^:]*):([^]*)$/.exec(field) ?? [];
  const line = value.replaceAll("\r\n", "").replaceAll(/[ \t]+/g, " ");
  return `${name.toLowerCase().trim()}:${line.trim()}`;
};
/** §3.4.4 */
const relaxedBody = (body: string) => {
  const lines = body.split("\r\n").map((line) => line.replaceAll(/[ \t]+/g, " ").replace(/ $/, ""));
  const text = lines.join("\r\n").replace(/(\r\n)*$/, "");
  return text === "" ? "" : `${text}\r\n`;
};

/**
 * @param message as it came over SMTP, its dots undone @param recordOf the TXT record of a name,
 *   undefined where there is none
 */
export function judgeDkim(message: string, recordOf: (name: string) => string | undefined): Judged[] {
  const fields = message.slice(0, message.indexOf("\r\n\r\n")).split(/\r\n(?![ \t])/);
  return fields.flatMap((field, at) =>
    /^dkim-signature:/i.test(field) ? [judgeSignature(message, fields, at, recordOf)] : [],
  );
}

function judgeSignature(
  message: string,
  fields: string[],
  at: number,
  recordOf: (name: string) => string | undefined,
): Judged {
  const signature = fields[at] ?? "";
  const tags = tagsOf(signature.slice(signature.indexOf(":") + 1));
  const [domain = "", selector = "", algorithm = ""] = [tags.get("d"), tags.get("s"), tags.get("a")];
  const judged = { algorithm, domain, selector };
  const record = recordOf(`${selector}._domainkey.${domain}`);
  if (record === undefined || tags.get("c") !== "relaxed/relaxed") return { ...judged, result: "fail" };
  const end = message.indexOf("\r\n\r\n");
  const body = createHash("sha256").update(relaxedBody(message.slice(end + 4)));
  const rest = fields.toSpliced(at, 1);
  const signed = (tags.get("h") ?? "").split(":").flatMap((name) => {
    // The last of a name first (§5.4.2).
    const i = rest.findLastIndex((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    return i < 0 ? [] : rest.splice(i, 1).map(relaxedHeader);
  });
  const own = relaxedHeader(signature.replace(/(;\s*b=)[^;]*/, "$1"));
  const header = Buffer.from([...signed, own].join("\r\n"));
  const isGood =
    body.digest("base64") === tags.get("bh") &&
    isSignedBy(record, algorithm, header, Buffer.from(tags.get("b") ?? "", "base64"));
  return { ...judged, result: isGood ? "pass" : "fail" };
}

function isSignedBy(record: string, algorithm: string, header: Buffer, signature: Buffer): boolean {
  const tags = tagsOf(record);
  const key = Buffer.from(tags.get("p") ?? "", "base64");
  if (`${tags.get("k")}-sha256` !== algorithm) return false;
  if (algorithm === "rsa-sha256")
    return verify("sha256", header, createPublicKey({ key, format: "der", type: "spki" }), signature);
  // What is signed is the hash of the header, and the record has the 32 bytes of the key alone.
  const jwk = { kty: "OKP", crv: "Ed25519", x: key.toString("base64url") };
  const hash = createHash("sha256").update(header).digest();
  return verify(null, hash, createPublicKey({ key: jwk, format: "jwk" }), signature);
}
