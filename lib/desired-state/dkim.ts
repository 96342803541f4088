/** Keys by which mail is signed (DKIM, RFC 6376), in the desired state. */
import { z } from "zod";

import { DKIM_STEPS, type DkimStep } from "../dns/dkim-steps.ts";
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

export const dkimSchema = z.strictObject({
  selector: dkimSelector.describe("Where the public key is found: <selector>._domainkey.<domain>."),
  use: dkimUse,
  keyFile: secretFile
    .meta(secretBelow("dkim-tw2026", "dkim-tw2027"))
    .describe("File in the container with the RSA private key in PEM."),
});

export type DkimSelector = z.output<typeof dkimSchema>;

/** The one whose key signs, if any does. */
export const signerOf = <Selector extends { readonly use: DkimStep }>(
  selectors: readonly Selector[],
): Selector | undefined => selectors.find(({ use }) => use === "sign");
