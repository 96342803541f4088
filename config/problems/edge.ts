import { passthroughNames } from "../../lib/tailnet/magic-dns-name.ts";
import { MAIL_SERVICES } from "../../lib/mail-services.ts";
import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";

type EdgeConfig = Pick<Config, "edge" | "mailHost" | "domains" | "services">;

/**
 * What is wrong with the edge's sites and fallback that are well-formed each. Names have no case
 * (RFC 4343).
 */
export function edgeProblems(config: EdgeConfig): Problem[] {
  return [...siteProblems(config), ...fallbackProblems(config)];
}

function siteProblems({ edge, mailHost, domains }: EdgeConfig): Problem[] {
  const passed = new Set(passthroughNames(mailHost, domains).map((name) => name.toLowerCase()));
  const hosts = edge.sites.map(({ host }) => host.toLowerCase());
  return hosts.flatMap((host, index) => {
    const path = keyPath(["edge", "sites", index, "host"]);
    if (passed.has(host))
      return [
        {
          path,
          message:
            "is passed through to Stalwart, so Caddy must not answer it (lesson 5); accepts another name",
          example: `www.${domains[0]?.name}`,
        },
      ];
    const first = hosts.indexOf(host);
    return first === index
      ? []
      : [{ path, message: `is edge.sites[${first}].host already; accepts each name once` }];
  });
}

/** A connection that the edge hands to itself comes round for ever. */
function fallbackProblems({ edge, services }: EdgeConfig): Problem[] {
  const [, host = "", port] = /^(.*):(\d+)$/.exec(edge.fallback?.to ?? "") ?? [];
  const own: number[] = [443, ...services.map((service) => MAIL_SERVICES[service].port)];
  const here = /^(?:127\.[\d.]+|localhost)$/i.test(host) || host === edge.wanAddress;
  return here && own.includes(Number(port))
    ? [
        {
          path: keyPath(["edge", "fallback", "to"]),
          message: `is the edge's own port ${port}, so connections would come round for ever; accepts the other web server's own port`,
          example: "127.0.0.1:8443",
        },
      ]
    : [];
}
