import { at, merge, PASS, refuse, unjudged } from "../framework/judgement.ts";
import {
  definePolicy,
  type Finding,
  type Judgement,
  type NotJudged,
  type PolicyResource,
  type Verdict,
} from "../framework/policy.ts";
import { caddiesOf, caddyOf, NO_CADDY } from "../facts/caddy/find.ts";
import {
  isTrusting,
  mailHostsOf,
  mailNamesOf,
  mayBeMail,
  type MailHosts,
} from "../facts/caddy/mail-upstreams.ts";
import type { CaddyConfig, Handler, Layer4Server, Route, Upstream } from "../facts/caddy/model.ts";
import { isOwnSite, takesHeader } from "../facts/caddy/own-listeners.ts";
import { becauseOf } from "../facts/caddy/placeholders.ts";
import { serverFirst, waitingMatcherOf } from "../facts/caddy/waiting.ts";
import { isLoopback } from "../facts/hosts.ts";

export const edgeSendsProxyProtocol = definePolicy({
  id: "edge-sends-proxy-protocol",
  description:
    "Every layer4 route to the mail server sends PROXY v2, waits for nobody and sets nothing that would stop it later.",
  severity: "critical",
  lesson: 3,
  enforcementLevel: "mandatory",
  remediation:
    "Set proxy_protocol v2 on the route's proxy, and leave out matchers on ports where the server speaks first, health_port and max_connections.",
  url: "https://github.com/mholt/caddy-l4/blob/master/docs/handlers/proxy.md",
  why: "without the client's address the mail server charges every scan to the edge and bans it, and a client may send a PROXY header of its own and be believed",
  portable: true,
  judgeResource,
  judgeStack,
});

/** Handlers after which no later route is asked. */
const TERMINAL = new Set(["proxy", "echo", "close"]);

function judgeUpstream({ where, maxConnections }: Upstream): Judgement {
  if (!maxConnections) return PASS;
  return refuse({
    where,
    what: "sets max_connections, whose counter never goes down again, so the upstream counts as full for ever after that many connections",
    instead: "no max_connections; limit connections in the mail server",
  });
}

function judgeVersion({ where, proxyProtocol: version }: Handler): Judgement {
  if (version?.includes("{"))
    return unjudged({ where, because: "proxy_protocol is a placeholder, which is filled in at start" });
  if (version === "v2") return PASS;
  const what = version === undefined ? "no PROXY header" : "a PROXY header of version 1";
  return refuse({
    where,
    what: `passes mail on with ${what}`,
    instead:
      'proxy_protocol "v2" on this handler, and the edge\'s address among the networks that the mail server takes it from',
  });
}

function judgeHealthPort({ where, healthPort }: Handler): Judgement {
  if (!healthPort) return PASS;
  return refuse({
    where,
    what: "sets a port for health checks, which caddy-l4 then dials for mail as well",
    instead: "no health_port: a failed dial is tried again with lb_try_duration",
  });
}

/** Where routes are. */
interface Surroundings {
  readonly server: Layer4Server;
  readonly config: CaddyConfig;
  readonly mail: MailHosts;
}

/** A proxy that may be mail's, once it is known what a placeholder in its upstreams stands for. */
function judgeOpen(handler: Handler, sni: readonly string[], mail: MailHosts): Judgement {
  const { findings, notJudged } = judgeVersion(handler);
  const open = handler.upstreams.flatMap(({ dial }) => dial).find((dial) => mayBeMail(dial, sni, mail));
  if (open?.placeholder === undefined || findings.length + notJudged.length === 0) return PASS;
  return unjudged({ where: handler.where, because: becauseOf(open.placeholder) });
}

/** A hop to a listener of Caddy's own, which takes headers of version 1 as well. */
const isOwnHop = (upstreams: readonly Upstream[], config: CaddyConfig): boolean =>
  upstreams.every(({ dial }) => dial.length > 0 && dial.every((one) => takesHeader(one, [config])));

function judgeRoutes(
  routes: readonly Route[],
  { server, config, mail }: Surroundings,
  sni: readonly string[] = [],
): Judgement {
  const parts: Judgement[] = [];
  for (const route of routes) {
    const names = [...sni, ...route.match.flatMap(mailNamesOf)];
    for (const handler of route.handlers) {
      const trusting = handler.upstreams
        .filter(({ dial }) => !dial.some((one) => isOwnSite(one, [config])))
        .filter((upstream) => isTrusting(upstream, server, names, mail));
      const isFine = handler.proxyProtocol === "v1" && isOwnHop(trusting, config);
      if (handler.kind === "proxy" && trusting.length > 0)
        parts.push(
          isFine ? PASS : judgeVersion(handler),
          judgeHealthPort(handler),
          ...trusting.map(judgeUpstream),
        );
      else if (handler.kind === "proxy") parts.push(judgeOpen(handler, names, mail));
      parts.push(judgeRoutes(handler.routes, { server, config, mail }, names));
    }
  }
  return merge(...parts);
}

/** Routes with a matcher that waits for the client, while the client waits for the server. */
function judgeMatchers(server: Layer4Server): Judgement {
  const findings: Finding[] = [];
  for (const route of server.routes) {
    const matcher = route.match.map(waitingMatcherOf).find((name) => name !== undefined);
    if (matcher !== undefined && serverFirst(server, route)) {
      findings.push({
        where: route.where,
        what: `matches with ${matcher}, which waits for the client's first bytes, on a port where the mail server speaks first`,
        instead: "a route without matcher, or with remote_ip alone; take STARTTLS ports as they are",
      });
    }
    if (route.match.length === 0 && route.handlers.some(({ kind }) => TERMINAL.has(kind))) break;
  }
  return refuse(...findings);
}

/** A listener on loopback is no edge: local programs reach a relay by it, without PROXY. */
const isEdge = ({ listen, unread }: Layer4Server): boolean =>
  listen.some(({ host, network }) => network === "tcp" && !isLoopback(host)) ||
  unread.some(({ host }) => host !== undefined && !isLoopback(host));

function judgeConfig(config: CaddyConfig, mail: MailHosts): Judgement {
  return merge(
    ...config.layer4
      .filter(isEdge)
      .flatMap((server) => [judgeRoutes(server.routes, { server, config, mail }), judgeMatchers(server)]),
  );
}

function judgeResource(resource: PolicyResource): Verdict {
  const caddy = caddyOf(resource);
  if (!caddy) return { notApplicable: NO_CADDY };
  const mail = mailHostsOf(caddy.configs, []);
  return merge(unjudged(...caddy.gaps), ...caddy.configs.map((config) => judgeConfig(config, mail)));
}

/** What takes the stack to see: that a host and port are a listener's that demands the header. */
function judgeStack(resources: readonly PolicyResource[]): Verdict {
  const caddies = caddiesOf(resources);
  if (caddies.length === 0) return { notApplicable: NO_CADDY };
  const mail = mailHostsOf(
    caddies.flatMap(({ configs }) => configs),
    resources,
  );
  return merge(
    ...caddies.map(({ resource, configs }) => {
      const judge = (hosts: MailHosts) => merge(...configs.map((config) => judgeConfig(config, hosts)));
      const alone = judge(mailHostsOf(configs, []));
      const known = new Set([...alone.findings, ...alone.notJudged].map(({ where }) => where));
      const isNew = ({ where }: Finding | NotJudged): boolean => !known.has(where);
      const { findings, notJudged } = judge(mail);
      return at(resource.urn, { findings: findings.filter(isNew), notJudged: notJudged.filter(isNew) });
    }),
  );
}
