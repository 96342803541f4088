import { z } from "zod";

import { dkimAlgorithm, dkimSelector, dkimUse } from "../../lib/desired-state/dkim.ts";

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
          algorithm: dkimAlgorithm
            .default("rsa")
            .describe(
              "What its key is of: rsa, with 2048 bits, or ed25519 (RFC 8463). Some large receivers know no ed25519, and fail what it has signed (lesson 19): such a key signs only beside one of RSA.",
            ),
        }),
      )
      .default([])
      .meta({ accepts: "a list of selectors", examples: [[{ name: "tw2026", use: "publish" }]] })
      .describe(
        "Selectors, each with a key that the stack makes and keeps encrypted in its state. One of each algorithm may sign. A rotation is two reviewed steps: the new one with publish beside the old one with sign, and once it is seen at all servers the new one with sign and the old one with retire; about a week later the old one is taken out. A step that is left out is refused, and so is a key that is to sign and is not published.",
      ),
  })
  .prefault({})
  .describe("Keys by which mail is signed (DKIM).");
