/** The boxes that the internet reaches. */
import { z } from "zod";

import { dnsName, dockerHost, ipv4Address, isUpstream } from "./primitives.ts";

const site = z.strictObject({
  host: dnsName("www.example.org").describe("Name that Caddy itself answers on :443."),
  upstream: z
    .string()
    .regex(/^[\w.-]+:\d{1,5}$/, { error: "accepts host:port" })
    .optional()
    .meta({ accepts: "host:port", examples: ["127.0.0.1:8000"] })
    .describe("Where Caddy sends the requests; without it Caddy answers 404."),
});

const fallback = z.strictObject({
  to: z
    .string({ error: "accepts host:port" })
    .refine(isUpstream, { error: "accepts host:port, the host no address of a tailnet's node" })
    .meta({ accepts: "host:port", examples: ["127.0.0.1:8443"] })
    .describe(
      "Another web server on the edge, which ends TLS itself: what comes to :443 for a name that is neither passed through nor one of sites goes on to it, so that it keeps its names and certificates on a port of its own. Caddy then leaves port 80 to it.",
    ),
  proxyProtocol: z
    .boolean({ error: "accepts true or false" })
    .default(false)
    .meta({ accepts: "true or false", examples: [true] })
    .describe(
      "Send a PROXY v2 header, so that it sees the client's address. It must expect one, and from the edge alone.",
    ),
});

const edge = z.strictObject({
  name: z
    .string({ error: "accepts a short name" })
    // The images of the KVM VPS are kvm-images.
    .regex(/^(?!kvm$)[a-z](?:[a-z0-9-]{0,20}[a-z0-9])?$/, {
      error: "accepts up to 22 of a-z, 0-9 and dashes, a letter first and no dash last; kvm is taken",
    })
    .default("edge")
    .meta({ accepts: "a short name of a-z, 0-9 and dashes", examples: ["edge", "ams"] })
    .describe(
      "What the stack's resources of this edge are called by, such as edge-caddy, and the doctor's rows where there are several. Another name later is another edge: it has no certificates yet.",
    ),
  dockerHost: dockerHost.describe("Docker daemon of the edge box; each edge has its own."),
  wanAddress: ipv4Address("198.51.100.7").describe(
    "The edge's public address: the mail host has an A record for it, and Stalwart never bans it (lesson 3).",
  ),
  sites: z
    .array(site)
    .default([])
    .meta({ accepts: "a list of sites", examples: [[{ host: "www.example.org" }]] })
    .describe(
      "Caddy's own sites on the edge. None of the names that are passed through may be among them (lesson 5).",
    ),
  fallback: fallback.optional().describe("Where connections to :443 for all other names go."),
  certificates: z
    .enum(["acme", "internal"], { error: 'accepts "acme" or "internal"' })
    .default("acme")
    .meta({ accepts: '"acme" or "internal"', examples: ["acme"] })
    .describe("Who signs the certificates of the edge's own sites: a public CA, or Caddy's internal one."),
});

export const edgesSchema = z
  .array(edge)
  .min(1, { error: "accepts a list with at least one edge" })
  .meta({
    accepts: "a list of edges",
    examples: [[{ name: "edge", dockerHost: "ssh://root@edge.example.org", wanAddress: "198.51.100.7" }]],
  })
  .describe(
    "The boxes that the internet reaches, in the order in which they are changed: each is proved by mail's way through it before the next is touched. Senders try the addresses of all of them.",
  );
