import { at, gapAt, merge, unjudged } from "../framework/judgement.ts";
import {
  definePolicy,
  type Finding,
  type Judgement,
  type NotJudged,
  type PolicyResource,
  type Verdict,
} from "../framework/policy.ts";
import { formatPath, listAt, read, readString, UNKNOWN_AT_PREVIEW } from "../framework/values.ts";
import { caddiesOf, caddyOf, NO_CADDY, type CaddyReading } from "../facts/caddy/find.ts";
import { isCaddyName } from "../facts/caddy/locate-in-text.ts";
import type { CaddyConfig, Site } from "../facts/caddy/model.ts";
import {
  concerns,
  isForWeb,
  passthroughsOf,
  sameName,
  terminatedOf,
  type Passthrough,
} from "../facts/caddy/passthrough.ts";
import { UNTRIED } from "../facts/caddy/name-patterns.ts";
import { becauseOf, couldBeSame, openPlaceholder } from "../facts/caddy/placeholders.ts";
import { CONTAINER } from "../facts/docker/containers.ts";
import { plainName } from "../facts/hosts.ts";
import { EDGE } from "../facts/own-resources.ts";

export const stalwartTlsNotTerminated = definePolicy({
  id: "stalwart-tls-not-terminated",
  description:
    "A name whose TLS is passed through to Stalwart has no site, no TLS handler and no certificate at the edge.",
  severity: "high",
  lesson: 5,
  enforcementLevel: "mandatory",
  remediation:
    "Remove the name's site, TLS handler and certificate from Caddy, and leave the layer4 route that passes it on.",
  url: "https://datatracker.ietf.org/doc/html/rfc8659",
  why: "the CAA record lets only Stalwart's account order a certificate for the name, so Caddy never gets one and clients see an error",
  portable: true,
  judgeResource,
  judgeStack,
});

const INSTEAD =
  "nothing for this name beside the layer4 route that passes its TLS on by SNI; Stalwart has the certificate and answers it";
const HTTPS = [{ network: "tcp" as const, host: "", from: 443, to: 443 }];

/** Whether a name that a site answers, or what its expression matches, is one that is passed on. */
const isPassed = (pass: Passthrough, { name, pattern }: Pick<Site, "name" | "pattern">): boolean =>
  pattern ? !pass.pattern && pattern.test?.(pass.name) === true : sameName(pass, name);

/** What a config does with names that are passed through here or elsewhere. */
function judgeConfig(config: CaddyConfig, passed: readonly Passthrough[]): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const report = (where: string, name: string, does: string, pass: Passthrough): void => {
    seen.add(name);
    const by = pass.where.startsWith(config.where)
      ? pass.where.slice(config.where.length).trim()
      : pass.where;
    findings.push({
      where,
      what: `${does} ${name}, whose TLS is passed through (${by})`,
      instead: INSTEAD,
    });
  };
  for (const server of config.http.filter(({ tls }) => tls)) {
    for (const site of server.sites) {
      const pass = passed.find((one) => concerns(one, server.listen) && isPassed(one, site));
      if (pass)
        report(
          site.where,
          site.pattern ? pass.name : site.name,
          site.proxies ? "ends TLS and reverse-proxies" : "ends TLS for",
          pass,
        );
    }
  }
  for (const { where, name, listen } of terminatedOf(config)) {
    const pass = passed.find((one) => concerns(one, listen) && sameName(one, name));
    if (pass) report(where, name, "ends TLS for", pass);
  }
  for (const { where, name, acme } of config.certificates) {
    // Of a site it follows by itself.
    if (!acme || seen.has(name)) continue;
    const pass = passed.find((one) => isForWeb(one) && sameName(one, name));
    if (pass) report(where, name, "orders a certificate for", pass);
  }
  return findings;
}

/** Names that are answered here and may be ones that are passed on: a placeholder is in either. */
function openNames(config: CaddyConfig, passed: readonly Passthrough[]): NotJudged[] {
  const answered = [
    ...config.http
      .filter(({ tls }) => tls)
      .flatMap(({ sites, listen }) => sites.map((site) => ({ ...site, listen }))),
    ...terminatedOf(config),
  ];
  const untried = passed.filter(
    (pass) => pass.pattern && !pass.pattern.test && answered.some(({ listen }) => concerns(pass, listen)),
  );
  const open = answered.flatMap(({ where, name, listen }) => {
    const pass = passed.find((one) => concerns(one, listen) && mayBeSame(one, name));
    const placeholder = pass && (openPlaceholder(name) ?? openPlaceholder(pass.name));
    return placeholder === undefined
      ? []
      : [{ where, because: `may be a name that is passed through: ${becauseOf(placeholder)}` }];
  });
  const untriedHosts = config.http
    .filter(({ tls, listen }) => tls && passed.some((pass) => concerns(pass, listen)))
    .flatMap(({ sites }) => sites.filter(({ pattern }) => pattern && !pattern.test));
  return [...open, ...[...untried, ...untriedHosts].map(({ where }) => ({ where, because: UNTRIED }))];
}

/** A wildcard beside one of its names is no conflict, whichever name that is. */
const mayBeSame = (pass: Passthrough, name: string): boolean =>
  !pass.pattern &&
  !sameName(pass, name) &&
  (!name.startsWith("*.") || pass.name.startsWith("*.")) &&
  couldBeSame(pass.name, name);

/** Texts of a list in a component's args, with their places. */
function namesAt(edge: PolicyResource, list: string, ...key: string[]) {
  const { known, entries } = listAt(edge.props, [list]);
  const texts = entries.map(({ path }) => {
    const at = [...path, ...key];
    return { where: formatPath(at), text: readString(edge.props, at) };
  });
  return {
    names: texts.flatMap(({ where, text: { value } }) =>
      value === undefined ? [] : [{ where, name: plainName(value) }],
    ),
    gaps: [
      ...(known ? [] : [gapAt(list)]),
      ...texts.filter(({ text }) => !text.known).map(({ where }) => gapAt(where)),
    ],
  };
}

function edgePassthroughs(edge: PolicyResource): { passed: Passthrough[]; gaps: NotJudged[] } {
  const { names, gaps } = namesAt(edge, "passthrough");
  return {
    passed: names.map(({ where, name }) => ({ where, name, except: [], listen: HTTPS, dials: [] })),
    gaps,
  };
}

function judgeEdge(edge: PolicyResource): Judgement {
  const { passed, gaps } = edgePassthroughs(edge);
  const sites = namesAt(edge, "sites", "host");
  const findings = sites.names.flatMap(({ where, name }): Finding[] => {
    const pass = passed.find((one) => sameName(one, name));
    const what = `ends TLS for ${name}, whose TLS is passed through (${pass?.where})`;
    return pass ? [{ where, what, instead: INSTEAD }] : [];
  });
  // With no site or no name passed through there is nothing that could meet.
  const other = { passthrough: passed.length + gaps.length, sites: sites.names.length + sites.gaps.length };
  return {
    findings,
    notJudged: [...(other.sites > 0 ? gaps : []), ...(other.passthrough > 0 ? sites.gaps : [])],
  };
}

function judgeResource(resource: PolicyResource): Verdict {
  if (resource.type === EDGE) return judgeEdge(resource);
  const caddy = caddyOf(resource);
  if (!caddy) return { notApplicable: NO_CADDY };
  const passed = passthroughsOf(caddy.configs);
  return {
    findings: caddy.configs.flatMap((config) => judgeConfig(config, passed)),
    notJudged: [...caddy.gaps, ...caddy.configs.flatMap((config) => openNames(config, passed))],
  };
}

/** Whether a config ends TLS for any name, or orders a certificate for one. */
const answersTls = (config: CaddyConfig): boolean =>
  config.http.some(({ tls, sites }) => tls && sites.length > 0) ||
  terminatedOf(config).length > 0 ||
  config.certificates.some(({ acme }) => acme);

const OWNER_UNKNOWN = `its name's TLS is passed to a container whose image, which may be Caddy, is ${UNKNOWN_AT_PREVIEW}`;

/** First label of a host, as a container's name or a MagicDNS name begins. */
const hostLabel = (host: string): string => host.split(".")[0] ?? "";

/**
 * Across resources a second Caddy may well be the one that a name is passed on to, and then it has
 * to end TLS. So only a name whose owner is known to be no Caddy counts: one that tailwart's edge
 * passes to Stalwart, or one that is passed to a container of this stack that has no Caddy config.
 */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const caddies = caddiesOf(resources).map((caddy) => ({ ...caddy, passed: passthroughsOf(caddy.configs) }));
  if (caddies.length === 0) return { notApplicable: NO_CADDY };
  const isCaddy = ({ configs, gaps }: CaddyReading): boolean =>
    configs.some(({ byLabels }) => !byLabels) || configs.length === 0 || gaps.length > 0;
  const withCaddy = new Set(caddies.filter(isCaddy).map(({ resource }) => resource));
  /** By the container's name: whether it is known to be no Caddy. */
  const owners = new Map(
    resources.flatMap((resource): [string, boolean][] => {
      if (resource.type !== CONTAINER || withCaddy.has(resource)) return [];
      const image = read(resource.props, "image");
      // A Caddy without a config of its own may be what a command of this stack configures.
      if (image.known && isCaddyName(String(image.value))) return [];
      const name = read(resource.props, "name");
      return name.known && typeof name.value === "string" ? [[name.value.toLowerCase(), image.known]] : [];
    }),
  );
  const edges = resources
    .filter((resource) => resource.type === EDGE)
    .map((edge) => ({ urn: edge.urn, ...edgePassthroughs(edge) }));
  const byEdges = edges.flatMap(({ passed }) => passed);
  const toOthers = caddies.flatMap(({ resource, passed }) =>
    passed.flatMap((pass) => {
      const found = pass.dials.map(({ host }) => owners.get(host) ?? owners.get(hostLabel(host)));
      return found.includes(undefined) ? [] : [{ resource, pass, sure: !found.includes(false) }];
    }),
  );
  const judged = caddies.map(({ resource, configs, passed }) => {
    const judge = (all: readonly Passthrough[]) => configs.flatMap((config) => judgeConfig(config, all));
    const elsewhere = toOthers.filter((one) => one.resource !== resource);
    const sure = elsewhere.filter((one) => one.sure).map(({ pass }) => pass);
    const known = new Set(judge(passed).map(({ where }) => where));
    const findings = judge([...byEdges, ...sure]).filter(({ where }) => !known.has(where));
    for (const { where } of findings) known.add(where);
    const open = judge(elsewhere.map(({ pass }) => pass)).filter(({ where }) => !known.has(where));
    const places = [...new Set(open.map(({ where }) => where))];
    const notJudged = places.map((where) => ({ where, because: OWNER_UNKNOWN }));
    return at(resource.urn, { findings, notJudged });
  });
  const answering = caddies.flatMap(({ configs }) => configs).some(answersTls);
  const ofEdges = answering ? edges.map(({ urn, gaps }) => at(urn, unjudged(...gaps))) : [];
  return merge(...judged, ...ofEdges);
}
