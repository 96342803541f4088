import { acmeProblems } from "../../lib/desired-state/acme.ts";
import { passthroughNames } from "../../lib/tailnet/magic-dns-name.ts";
import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";
import { type Provider, withSecretFiles } from "../schema/certificates.ts";

/** What of the config decides whether a certificate can be had. */
type Certificates = Pick<
  Config,
  "acme" | "dnsProvider" | "edges" | "domains" | "mailHost" | "services" | "withoutGuards"
>;

/** The secrets that certificates need, as far as they are set. */
interface Secrets {
  dnsSecret?: unknown;
  dnsConsumerKey?: unknown;
}

/**
 * What is wrong with certificates that are well-formed key by key; what a line of Stalwart does not
 * offer, desired-state.ts says.
 */
export function certificateProblems(config: Certificates, secrets: Secrets): Problem[] {
  const { acme, dnsProvider, withoutGuards } = config;
  const stated = dnsProvider && withSecretFiles(dnsProvider);
  const refusals = acmeProblems({ acme, dnsProvider: stated }).filter(
    ({ lesson }) => lesson === undefined || !(lesson in withoutGuards),
  );
  const problems: Problem[] = refusals.map(({ path, message }) => ({ path: keyPath(path), message }));
  return [
    ...problems,
    // Of them the one lesson is about wildcards, the other about budgets.
    ...(4 in withoutGuards || 7 in withoutGuards ? [] : unprovableNames(config)),
    ...(dnsProvider ? secretProblems(dnsProvider, secrets) : []),
  ];
}

/**
 * Orders that can only fail spend the CA's budget of failed validations: five an hour for each name
 * (lesson 7).
 */
function unprovableNames({ acme, edges, domains, mailHost, services }: Certificates): Problem[] {
  const passed = new Set(passthroughNames(mailHost, domains).map((name) => name.toLowerCase()));
  // Name → the key of the site whose certificate Caddy orders.
  const ordered = new Map(
    edges.flatMap(({ sites, certificates }, i) =>
      certificates === "acme"
        ? sites.map(({ host }, j) => [host.toLowerCase(), `edges[${i}].sites[${j}].host`] as const)
        : [],
    ),
  );
  return acme.flatMap(({ challenge, names }, i) => {
    const at = { path: keyPath(["acme", i, "challenge"]), example: "dns-01" };
    if (challenge === "http-01")
      return [
        {
          ...at,
          message:
            "is http-01, and port 80 is not Stalwart's: a proof gets there only where Caddy has that port and sends the CA on; accepts dns-01, or tls-alpn-01 for the names that the edge passes on",
        },
      ];
    if (challenge === "tls-alpn-01" && !services.includes("https"))
      return [
        {
          ...at,
          message:
            "is tls-alpn-01, but services lacks https, so the CA reaches no Stalwart on port 443; accepts dns-01, or https in services",
        },
      ];
    return names.flatMap((name, j) => {
      const path = keyPath(["acme", i, "names", j]);
      const site = ordered.get(name);
      if (site !== undefined)
        return [
          {
            path,
            message: `is ${site}, whose certificate Caddy orders: two clients spend one budget (lesson 7); accepts names that are no site of an edge`,
            example: mailHost,
          },
        ];
      if (challenge !== "tls-alpn-01" || name.startsWith("*.") || passed.has(name)) return [];
      return [
        {
          path,
          message: `is not passed on to Stalwart, so tls-alpn-01 never proves it; accepts ${[...passed].join(", ")}, or dns-01 as challenge`,
          example: mailHost,
        },
      ];
    });
  });
}

/** Without its secret no record is written, and every order fails (lesson 2). */
function secretProblems({ type }: Provider, { dnsSecret, dnsConsumerKey }: Secrets): Problem[] {
  const needed = { dnsSecret, ...(type === "ovh" && { dnsConsumerKey }) };
  const problems: Problem[] = Object.entries(needed).flatMap(([key, value]) =>
    value === undefined
      ? [
          {
            path: keyPath([key]),
            message: `is missing, while dnsProvider is ${type}: no record would be written (lesson 2); accepts a secret`,
            example: `pulumi config set --secret ${keyPath([key])}`,
          },
        ]
      : [],
  );
  // Stalwart leaves a client out whose TSIG key it cannot decode (common/src/config/server/tls.rs).
  if (type === "rfc2136" && typeof dnsSecret === "string" && !isBase64(dnsSecret))
    problems.push({
      path: keyPath(["dnsSecret"]),
      message: "is no base64, while dnsProvider is rfc2136; accepts the key as tsig-keygen prints it",
      example: "openssl rand -base64 32 | pulumi config set --secret tailwart:dnsSecret",
    });
  return problems;
}

const isBase64 = (text: string): boolean => Buffer.from(text, "base64").toString("base64") === text;
