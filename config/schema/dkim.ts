import { z } from "zod";

import { dkimSelector, dkimUse } from "../../lib/desired-state/dkim.ts";

/** By which keys mail is signed. */
export const dkimSchema = z
  .strictObject({
    selectors: z
      .array(
        z.strictObject({
          name: dkimSelector.describe(
            "Where receivers find the public key: <name>._domainkey of each domain. A name is used once, for one key.",
          ),
          use: dkimUse,
        }),
      )
      .default([])
      .meta({ accepts: "a list of selectors", examples: [[{ name: "tw2026", use: "publish" }]] })
      .describe(
        "Selectors, each with an RSA key of 2048 bits that the stack makes and keeps encrypted in its state. A rotation is two reviewed steps: the new one with publish beside the old one with sign, and once it is seen at all servers the new one with sign and the old one with retire; about a week later the old one is taken out. A step that is left out is refused, and so is a key that is to sign and is not published.",
      ),
  })
  .prefault({})
  .describe("Keys by which mail is signed (DKIM).");
