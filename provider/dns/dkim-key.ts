/** The resource `tailwart:dns:DkimKey`: a key that is made once, and stays. */
import { generateKeyPairSync } from "node:crypto";

import { DKIM_ALGORITHMS, type DkimAlgorithm, dkimRecord } from "../../lib/dns/dkim.ts";
import { UNKNOWN } from "../plugin/diff.ts";
import type { Failure, Json, ServedResource } from "../plugin/served-resource.ts";

/** Its properties, in the program, in the state and between engine and provider. */
export interface DkimKeyState {
  selector: string;
  /** Absent: RSA. */
  algorithm?: DkimAlgorithm;
  /** The key in PEM (PKCS #8). A Pulumi secret. */
  privateKey: string;
  /** What the record of the public key says. */
  record: string;
}

/** What receivers believe for years to come, and what fits a record of two strings. */
const BITS = 2048;

/** PKCS #8 is what both lines of Stalwart read of either algorithm. */
function makeKey(algorithm: DkimAlgorithm) {
  const publicKeyEncoding = { type: "spki", format: "pem" } as const;
  const privateKeyEncoding = { type: "pkcs8", format: "pem" } as const;
  return algorithm === "ed25519"
    ? generateKeyPairSync("ed25519", { publicKeyEncoding, privateKeyEncoding })
    : generateKeyPairSync("rsa", { modulusLength: BITS, publicKeyEncoding, privateKeyEncoding });
}

export class DkimKeyResource implements ServedResource<DkimKeyState> {
  outputs = { privateKey: ["selector", "algorithm"], record: ["selector", "algorithm"] };
  withDefaults = (inputs: Json) => inputs;
  idOf = ({ selector }: DkimKeyState) => selector;
  interrupted = (news: DkimKeyState) => news;

  check({ selector, algorithm = "rsa", ...rest }: Json, olds: Json): Failure[] {
    const failures = Object.keys(rest).map((property) => ({
      property,
      reason: "is no property of this resource; accepts selector and algorithm",
    }));
    if (selector !== UNKNOWN && !(typeof selector === "string" && /^[a-z0-9-]{1,63}$/.test(selector)))
      failures.push({ property: "selector", reason: "accepts a-z, 0-9 and dashes" });
    if (algorithm !== UNKNOWN && !DKIM_ALGORITHMS.some((each) => each === algorithm))
      failures.push({ property: "algorithm", reason: `accepts ${DKIM_ALGORITHMS.join(", ")}` });
    const { algorithm: before = "rsa" } = olds;
    if (olds["selector"] !== undefined && olds["selector"] === selector && before !== algorithm)
      failures.push({
        property: "algorithm",
        reason: `the key of ${String(selector)} is of ${String(before)}, and receivers know it; accepts another selector for a key of another algorithm (tailwart:dkim.selectors)`,
      });
    return failures;
  }

  async apply(
    { selector, algorithm }: Pick<DkimKeyState, "selector" | "algorithm">,
    previous: DkimKeyState | undefined,
  ): Promise<DkimKeyState> {
    if (previous?.selector === selector && previous.privateKey) return previous;
    const { publicKey, privateKey } = makeKey(algorithm ?? "rsa");
    return { selector, ...(algorithm && { algorithm }), privateKey, record: dkimRecord(publicKey) };
  }

  /** It lies in the state and nowhere else that could have changed it. */
  read = async (state: DkimKeyState) => state;

  delete = async () => undefined;
}
