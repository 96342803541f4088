/** Keys by which mail is signed (DKIM, RFC 6376), in the desired state. */
import { z } from "zod";

import { DKIM_STEPS, type DkimStep } from "../dns/dkim-steps.ts";
import { DKIM_ALGORITHMS, type DkimAlgorithm } from "../dns/dkim.ts";
import { secretBelow, secretFile } from "./primitives.ts";

const SELECTOR = "a selector: a-z, 0-9 and dashes, at most 63";

/** The label before `._domainkey`; without dots and underscores, as both lines' ids need it. */
export const dkimSelector = z
  .string({ error: `accepts ${SELECTOR}` })
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { error: `accepts ${SELECTOR}` })
  .meta({ accepts: SELECTOR, examples: ["tw2026", "tw2027"] });

export const dkimUse = z
  .enum(DKIM_STEPS, { error: "accepts publish, sign or retire" })
  .meta({ accepts: "publish, sign or retire", examples: ["sign", "publish"] })
  .describe(
    "publish: its key is made and stands in DNS, and signs nothing yet. sign: every domain's mail is signed with it. retire: it signs no more, and stays in DNS for mail that is under way.",
  );

export const dkimAlgorithm = z
  .enum(DKIM_ALGORITHMS, { error: "accepts rsa or ed25519" })
  .meta({ accepts: "rsa or ed25519", examples: ["rsa", "ed25519"] });

export const dkimSchema = z.strictObject({
  selector: dkimSelector.describe("Where the public key is found: <selector>._domainkey.<domain>."),
  use: dkimUse,
  algorithm: dkimAlgorithm
    .optional()
    .describe("What its key is of. Without it RSA, which is all that some receivers know (lesson 19)."),
  keyFile: secretFile
    .meta(secretBelow("dkim-tw2026", "dkim-tw2027"))
    .describe("File in the container with the private key in PEM (PKCS #8)."),
});

export type DkimSelector = z.output<typeof dkimSchema>;

/** Those whose keys sign, one of each algorithm. RSA first: where one alone counts, it is that. */
export const signersOf = <
  Selector extends { readonly use: DkimStep; readonly algorithm?: DkimAlgorithm | undefined },
>(
  selectors: readonly Selector[],
): Selector[] =>
  selectors
    .filter(({ use }) => use === "sign")
    .toSorted((a, b) => Number(a.algorithm === "ed25519") - Number(b.algorithm === "ed25519"));
