import { definePolicy, type Finding, type PolicyResource, type Verdict } from "../framework/policy.ts";
import { caddyOf, NO_CADDY } from "../facts/caddy/find.ts";
import { samePort, type CaddyConfig, type Listen } from "../facts/caddy/model.ts";

export const edgePortConflict = definePolicy({
  id: "edge-port-conflict",
  description: "No port of Caddy has both a layer4 server and the http app.",
  severity: "critical",
  lesson: 15,
  enforcementLevel: "mandatory",
  remediation: "Use the layer4 listener wrapper in the http server, or give one of the two another port.",
  url: "https://github.com/mholt/caddy-l4/blob/master/docs/servers.md",
  why: "Caddy binds both with SO_REUSEPORT and reports no error, and the kernel then hands each connection to one of them at random",
  portable: true,
  judgeResource,
});

const INSTEAD =
  "one listener for the port: put the layer4 routes into listener_wrappers of the http server, before `tls`, or move the http app to another port behind the layer4 server";

function describe({ network, host, from, to }: Listen): string {
  const address = host.includes(":") ? `[${host}]` : host;
  return `${network === "udp" ? "udp/" : ""}${address}:${from === to ? from : `${from}-${to}`}`;
}

/** A layer4 server's first port that the http app takes too. Wrappers have no socket. */
function findingsOf(config: CaddyConfig): Finding[] {
  return config.layer4.flatMap((server) => {
    if (server.wrapper) return [];
    for (const own of server.listen) {
      for (const http of config.http) {
        const shared = http.listen.some((other) => samePort(own, other));
        if (!shared && !http.redirects.some((other) => samePort(own, other))) continue;
        const place = http.where.slice(config.where.length).trim();
        const by = shared ? `the http server ${place}` : `the redirects to HTTPS of ${place}`;
        return [
          {
            where: server.where,
            what: `listens on ${describe(own)}, where ${by} listens too`,
            instead: INSTEAD,
          },
        ];
      }
    }
    return [];
  });
}

function judgeResource(resource: PolicyResource): Verdict {
  const caddy = caddyOf(resource);
  if (!caddy) return { notApplicable: NO_CADDY };
  return { findings: caddy.configs.flatMap(findingsOf), notJudged: caddy.gaps };
}
