import { definePolicy, type Finding, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { readString, UNKNOWN_AT_PREVIEW } from "../framework/values.ts";
import { caddiesOf, NO_CADDY } from "../facts/caddy/find.ts";
import { caddyInstances, mayOrderTwice, ordersTwice, type Order } from "../facts/caddy/instances.ts";
import { covers } from "../facts/caddy/model.ts";
import { becauseOf, couldBeSame, openPlaceholder } from "../facts/caddy/placeholders.ts";
import { plainName } from "../facts/hosts.ts";
import { SETTINGS, SETTINGS_TYPES } from "../facts/own-resources.ts";
import { acmeOf, type AcmeClient } from "../facts/stalwart/acme.ts";
import { stalwartsOf, unread, type Stalwart } from "../facts/stalwart/acme-clients.ts";
import { stalwartKeys } from "../facts/stalwart/flat-keys.ts";

export const oneAcmeClientPerName = definePolicy({
  id: "one-acme-client-per-name",
  description: "Each name's certificate is ordered by one ACME client: Stalwart or one Caddy.",
  severity: "high",
  lesson: 7,
  enforcementLevel: "mandatory",
  remediation: "Take the name out of Caddy's sites and automation, or out of the second ACME client.",
  url: "https://letsencrypt.org/docs/rate-limits/",
  why: "two clients spend the CA's weekly budget of duplicates twice, and the CAA record refuses the one whose account it does not name",
  portable: false,
  resourceTypes: SETTINGS_TYPES,
  judgeResource,
  judgeStack,
});

const INSTEAD = "the name at one ACME client alone: Stalwart for the mail names, Caddy for its own sites";
/** Names below a mail domain that Stalwart answers itself. */
const SERVICES = ["mta-sts", "autoconfig", "autodiscover", "ua-auto-config"];

interface Ordered {
  readonly where: string;
  readonly name: string;
}

function hostnameOf(resource: PolicyResource): string {
  const text =
    resource.type === SETTINGS
      ? stalwartKeys(resource).values.get("server.hostname")
      : readString(resource.props, ["settings", "hostname"]).value;
  return plainName(text ?? "");
}

const parentOf = (name: string): string => name.slice(name.indexOf(".") + 1);

/**
 * The names of one ACME client of Stalwart. An empty list stands for the wildcard of the server's
 * domain: the 0.16 line orders that, the 0.15 line nothing, and neither leaves a mail name to
 * another client.
 */
function namesOf(client: AcmeClient, hostname: string): Ordered[] {
  const listed = client.names.flatMap(({ where, text }) =>
    text === undefined ? [] : [{ where, name: plainName(text) }],
  );
  if (client.names.length > 0 || !client.list.complete || !hostname.includes(".")) return listed;
  return [{ where: client.list.where, name: `*.${parentOf(hostname)}` }];
}

/** Whether it orders a name: a wildcard means Stalwart's names, not every site of the domain. */
function standsFor(ordered: Ordered, name: string, hostname: string): boolean {
  if (ordered.name === name) return true;
  if (!ordered.name.startsWith("*.") || !covers(ordered.name, name)) return false;
  return name === hostname || SERVICES.includes(name.split(".")[0] ?? "");
}

/** Two clients of one Stalwart. */
function judgeResource(resource: PolicyResource): Verdict {
  const acme = acmeOf(resource);
  if (!acme) return { notApplicable: "only Stalwart's settings name more than one of its ACME clients" };
  const hostname = hostnameOf(resource);
  const seen = new Map<string, Ordered>();
  const findings: Finding[] = [];
  for (const client of acme.clients) {
    const own = namesOf(client, hostname);
    for (const { where, name } of own) {
      const first = seen.get(name);
      if (first)
        findings.push({
          where,
          what: `orders ${name}, which another ACME client of Stalwart orders (${first.where})`,
          instead: INSTEAD,
        });
    }
    for (const one of own) if (!seen.has(one.name)) seen.set(one.name, one);
  }
  return { findings, notJudged: acme.clients.length > 1 ? unread(acme.clients) : [] };
}

function againstStalwart(order: Order, stalwarts: readonly Stalwart[]): Finding[] {
  for (const { resource, clients } of stalwarts) {
    const hostname = hostnameOf(resource);
    const same = clients
      .flatMap((client) => namesOf(client, hostname))
      .find((ordered) => standsFor(ordered, order.name, hostname));
    if (!same) continue;
    const what = `orders a certificate for ${order.name}, which Stalwart orders too (${same.where})`;
    return [{ where: order.where, what, instead: INSTEAD, urn: order.urn }];
  }
  return [];
}

/** Orders of which a placeholder decides whether Stalwart orders the name too. */
function mayBeStalwarts(open: readonly Order[], stalwarts: readonly Stalwart[]): Order[] {
  const names = stalwarts.flatMap(({ resource, clients }) =>
    clients.flatMap((client) => namesOf(client, hostnameOf(resource))),
  );
  return open.filter((order) => names.some(({ name }) => couldBeSame(name, order.name)));
}

/** Caddy against Stalwart, and one Caddy against another. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const caddies = caddiesOf(resources);
  if (caddies.length === 0) return { notApplicable: NO_CADDY };
  const stalwarts = stalwartsOf(resources);
  const instances = caddyInstances(caddies);
  const orders = instances.flatMap((instance) => instance.orders);
  const twice = ordersTwice(instances);
  const open = new Set([
    ...mayBeStalwarts(
      instances.flatMap((instance) => instance.open),
      stalwarts,
    ),
    ...mayOrderTwice(instances),
  ]);
  return {
    findings: [
      ...orders.flatMap((order) => againstStalwart(order, stalwarts)),
      ...twice
        .filter(({ sure }) => sure)
        .map(({ order, first }) => ({
          where: order.where,
          what: `orders a certificate for ${order.name}, which another Caddy of the stack orders (${first.where})`,
          instead: "the name at one Caddy alone, or a storage that both share",
          urn: order.urn,
        })),
    ],
    notJudged: [
      ...[...open].map(({ urn, where, name }) => ({
        urn,
        where,
        because: `may be a name that is ordered elsewhere: ${becauseOf(openPlaceholder(name) ?? name)}`,
      })),
      ...twice
        .filter(({ sure }) => !sure)
        .map(({ order, first }) => ({
          where: order.where,
          because: `whether it shares its storage with the other Caddy that orders ${order.name} (${first.where}) is ${UNKNOWN_AT_PREVIEW}`,
          urn: order.urn,
        })),
      // What is unknown on one side matters where the other side orders something.
      ...[
        ...(orders.length > 0 ? stalwarts : []),
        ...(orders.length > 0 || stalwarts.some(({ clients, gaps }) => clients.length + gaps.length > 0)
          ? caddies
          : []),
      ].flatMap(({ resource, gaps }) => gaps.map((gap) => ({ ...gap, urn: resource.urn }))),
    ],
  };
}
