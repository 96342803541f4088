/** Routes for mail that goes out in the desired state. */
import { z } from "zod";

import { name, plain, port, relayHost, relayTls, secretBelow, secretFile } from "./primitives.ts";

export const relayRouteSchema = z.strictObject({
  name: name("a route's name")
    .refine((text) => text !== "local" && text !== "mx", {
      error: '"local" and "mx" are Stalwart\'s own routes; accepts another name, such as "smarthost"',
    })
    .meta({ examples: ["smarthost", "relay"] })
    .describe("Stalwart's name of the route; outbound.route names it."),
  host: relayHost.meta({
    accepts: "a host name",
    examples: ["mailbox.tail7b1641.ts.net", "relay.tail7b1641.ts.net"],
  }),
  port: port
    .default(587)
    .meta({ examples: [587, 2525] })
    .describe("The smarthost's port."),
  tls: relayTls.meta({ accepts: '"implicit", "starttls" or "tailnet"', examples: ["tailnet", "starttls"] }),
  auth: z
    .strictObject({
      username: plain("a login name")
        .meta({ examples: ["relay@example.org", "mail"] })
        .describe("Login at the smarthost."),
      secretFile: secretFile
        .meta(secretBelow("relay", "relay-new"))
        .describe("File in the container with the password, and nothing else (no line break)."),
    })
    .optional()
    .describe("Credentials. Without it nothing is presented."),
});

export const outboundSchema = z.strictObject({
  route: z
    .string({ error: 'accepts the name of one of relays, or "mx"' })
    .default("mx")
    .meta({ accepts: 'the name of one of relays, or "mx"', examples: ["mx", "smarthost"] })
    .describe('Route for what is not local: the name of one of relays, or "mx" for direct delivery.'),
  connectTimeout: z
    .int({ error: "accepts whole seconds from 1 to 600" })
    .min(1, { error: "accepts whole seconds from 1 to 600" })
    .max(600, { error: "accepts whole seconds from 1 to 600" })
    .default(30)
    .meta({ accepts: "whole seconds from 1 to 600", examples: [30, 60] })
    .describe("Seconds to wait for a connection, per address. Stalwart's own default is 300."),
});
