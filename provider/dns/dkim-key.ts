/** The resource `tailwart:dns:DkimKey`: an RSA key that is made once, and stays. */
import { generateKeyPairSync } from "node:crypto";

import { dkimRecord } from "../../lib/dns/dkim.ts";
import { UNKNOWN } from "../plugin/diff.ts";
import type { Failure, Json, ServedResource } from "../plugin/served-resource.ts";

/** Its properties, in the program, in the state and between engine and provider. */
export interface DkimKeyState {
  selector: string;
  /** The key in PEM (PKCS #8). A Pulumi secret. */
  privateKey: string;
  /** What the record of the public key says. */
  record: string;
}

/** What receivers believe for years to come, and what fits a record of two strings. */
const BITS = 2048;

export class DkimKeyResource implements ServedResource<DkimKeyState> {
  outputs = { privateKey: ["selector"], record: ["selector"] };
  withDefaults = (inputs: Json) => inputs;
  idOf = ({ selector }: DkimKeyState) => selector;
  interrupted = (news: DkimKeyState) => news;

  check({ selector, ...rest }: Json): Failure[] {
    const failures = Object.keys(rest).map((property) => ({
      property,
      reason: "is no property of this resource; accepts selector",
    }));
    if (selector !== UNKNOWN && !(typeof selector === "string" && /^[a-z0-9-]{1,63}$/.test(selector)))
      failures.push({ property: "selector", reason: "accepts a-z, 0-9 and dashes" });
    return failures;
  }

  async apply({ selector }: DkimKeyState, previous: DkimKeyState | undefined): Promise<DkimKeyState> {
    if (previous?.selector === selector && previous.privateKey) return previous;
    const { publicKey, privateKey } = generateKeyPairSync("rsa", {
      modulusLength: BITS,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    return { selector, privateKey, record: dkimRecord(publicKey) };
  }

  /** It lies in the state and nowhere else that could have changed it. */
  read = async (state: DkimKeyState) => state;

  delete = async () => undefined;
}
