import { createHash, createPublicKey, verify } from "node:crypto";

/** A message as a receiver judges it: by its first DKIM signature (RFC 6376 §3.4, §6.1). */
export interface Judged {
  result: "none" | "pass" | "fail";
  domain?: string;
  selector?: string;
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
export function judgeDkim(message: string, recordOf: (name: string) => string | undefined): Judged {
  const end = message.indexOf("\r\n\r\n");
  const fields = message.slice(0, end).split(/\r\n(?![ \t])/);
  const at = fields.findIndex((field) => /^dkim-signature:/i.test(field));
  const signature = fields[at];
  if (signature === undefined) return { result: "none" };
  const tags = tagsOf(signature.slice(signature.indexOf(":") + 1));
  const [domain = "", selector = ""] = [tags.get("d"), tags.get("s")];
  const judged = { domain, selector };
  const record = recordOf(`${selector}._domainkey.${domain}`);
  if (record === undefined || tags.get("a") !== "rsa-sha256" || tags.get("c") !== "relaxed/relaxed")
    return { ...judged, result: "fail" };
  const body = createHash("sha256").update(relaxedBody(message.slice(end + 4)));
  const rest = fields.toSpliced(at, 1);
  const signed = (tags.get("h") ?? "").split(":").flatMap((name) => {
    // The last of a name first (§5.4.2).
    const i = rest.findLastIndex((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    return i < 0 ? [] : rest.splice(i, 1).map(relaxedHeader);
  });
  const own = relaxedHeader(signature.replace(/(;\s*b=)[^;]*/, "$1"));
  const key = createPublicKey({
    key: Buffer.from(tagsOf(record).get("p") ?? "", "base64"),
    format: "der",
    type: "spki",
  });
  const isGood =
    body.digest("base64") === tags.get("bh") &&
    verify(
      "sha256",
      Buffer.from([...signed, own].join("\r\n")),
      key,
      Buffer.from(tags.get("b") ?? "", "base64"),
    );
  return { ...judged, result: isGood ? "pass" : "fail" };
}
