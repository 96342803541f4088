import { z } from "zod";

import { relayHostProblem } from "../lib/settings/primitives.ts";

/** Where mail for other domains goes. */
export const relaySchema = z.strictObject({
  host: z
    .string({ error: "accepts a host name" })
    .superRefine((host, context) => {
      const problem = relayHostProblem(host);
      if (problem) context.addIssue({ code: "custom", message: problem });
    })
    .meta({ accepts: "a host name", examples: ["mailbox.tail7b1641.ts.net"] })
    .describe("The smarthost, by its MagicDNS name or a name with an A record only."),
  port: z
    .int({ error: "accepts a port number from 1 to 65535" })
    .min(1)
    .max(65535)
    .default(587)
    .meta({ accepts: "a port number from 1 to 65535", examples: [587] }),
  tls: z
    .enum(["implicit", "starttls", "tailnet"], { error: 'accepts "implicit", "starttls" or "tailnet"' })
    .meta({ accepts: '"implicit", "starttls" or "tailnet"', examples: ["tailnet"] })
    .describe(
      "implicit: TLS from the first byte, verified. starttls: upgraded and verified. tailnet: the certificate is not verified, since WireGuard has already proved the peer; for MagicDNS names only.",
    ),
  username: z
    .string()
    .min(1)
    .optional()
    .meta({ accepts: "a login name", examples: ["relay@example.org"] })
    .describe("Login at the smarthost. Its password is the secret tailwart:relayPassword."),
});

export type Relay = z.infer<typeof relaySchema>;
