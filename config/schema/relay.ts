import { z } from "zod";

import { relayHost, relayTls } from "../../lib/desired-state/primitives.ts";
import { port } from "./primitives.ts";

/** Where mail for other domains goes. */
export const relaySchema = z.strictObject({
  host: relayHost.meta({ accepts: "a host name", examples: ["mailbox.tail7b1641.ts.net"] }),
  port: port(587).describe("Submission port of the smarthost."),
  tls: relayTls.meta({ accepts: '"implicit", "starttls" or "tailnet"', examples: ["tailnet"] }),
  username: z
    .string()
    .min(1)
    .optional()
    .meta({ accepts: "a login name", examples: ["relay@example.org"] })
    .describe("Login at the smarthost. Its password is the secret tailwart:relayPassword."),
});
