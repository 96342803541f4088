/** Listeners and bans in the desired state. */
import { z } from "zod";

import { classifyHost } from "../addresses.ts";
import { duration, name, port, rate } from "./primitives.ts";

export const listenerSchema = z.strictObject({
  name: name("a listener's name")
    .meta({ examples: ["smtp", "mx"] })
    .describe("Stalwart's id of the listener; it appears in the log."),
  protocol: z
    .enum(["smtp", "lmtp", "imap", "pop3", "managesieve", "http"], {
      error: "accepts smtp, lmtp, imap, pop3, managesieve or http",
    })
    .meta({ accepts: "smtp, lmtp, imap, pop3, managesieve or http", examples: ["smtp", "imap"] })
    .describe("What is spoken on the port."),
  port: port
    .meta({ examples: [25, 2525] })
    .describe("Port to listen on, the one of another listener excepted."),
  bind: z
    .string()
    .refine((text) => ["ipv4", "ipv6"].includes(classifyHost(text)), { error: "accepts an IP address" })
    .default("0.0.0.0")
    .meta({ accepts: "an IP address", examples: ["0.0.0.0", "127.0.0.1"] })
    .describe(
      "Address to listen on. IPv4 by default: where the kernel has no IPv6, [::] yields no listener at all (stalwart#320).",
    ),
  implicitTls: z
    .boolean({ error: "accepts true or false" })
    .default(false)
    .meta({ accepts: "true or false", examples: [false, true] })
    .describe("TLS from the first byte (RFC 8314), instead of STARTTLS."),
  proxy: z
    .boolean({ error: "accepts true or false" })
    .default(true)
    .meta({ accepts: "true or false", examples: [true, false] })
    .describe(
      "Demand a PROXY header of peers in proxyTrustedNetworks. Off for the admin listener: decision 8, lesson 3.",
    ),
  management: z
    .boolean({ error: "accepts true or false" })
    .default(false)
    .meta({ accepts: "true or false", examples: [false, true] })
    .describe(
      "Answer the management API, the admin UI and metrics. An HTTP listener without it answers what mail programs need: JMAP, DAV, " +
        "/.well-known, autoconfig, autodiscover, OAuth; everything else is 404, except to loopback.",
    ),
});

const banRate = (value: string, what: string) =>
  rate
    .default(value)
    .meta({ accepts: 'a rate such as "100/1d", or false for never', examples: [value, "50/1h"] })
    .describe(what);

export const autoBanSchema = z.strictObject({
  auth: banRate("100/1d", "Failed logins."),
  abuse: banRate("35/1d", "Recipients that do not exist."),
  loiter: banRate("150/1d", "Connections that do nothing."),
  scan: banRate("30/1d", "Port scans; a request for a scanner's path bans at once."),
  expireAfter: duration
    .optional()
    .meta({ examples: ["1d", "1h"] })
    .describe(
      'How long a ban of any kind lasts; "1d" where the server can end one and nothing is named. On the 0.15 line a ban is for good, also after a restart.',
    ),
});
