import { passthroughNames } from "../../lib/tailnet/magic-dns-name.ts";
import { MAIL_SERVICES } from "../../lib/mail-services.ts";
import { keyPath, type Problem } from "../key-path.ts";
import type { Config } from "../schema.ts";

type EdgesConfig = Pick<Config, "edges" | "mailHost" | "domains" | "services">;

/** What is wrong with edges that are well-formed each. Names have no case (RFC 4343). */
export function edgeProblems(config: EdgesConfig): Problem[] {
  return [
    ...repeated(config, "name", "accepts each name once"),
    ...repeated(config, "dockerHost", "its containers and volumes have the same names; accepts another host"),
    ...repeated(config, "wanAddress", "accepts the address of another box"),
    ...siteProblems(config),
    ...fallbackProblems(config),
  ];
}

/** What an edge has that another before it has. */
function repeated(
  { edges }: EdgesConfig,
  key: "name" | "dockerHost" | "wanAddress",
  instead: string,
): Problem[] {
  const values = edges.map((edge) => (key === "dockerHost" ? daemonOf(edge.dockerHost) : edge[key]));
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    return first === index
      ? []
      : [{ path: keyPath(["edges", index, key]), message: `is edges[${first}].${key} already: ${instead}` }];
  });
}

/**
 * Which daemon a Docker host is, whoever logs in there.
 *
 * @example daemonOf("ssh://root@Edge.example.org") === daemonOf("ssh://edge.example.org:22")
 */
function daemonOf(dockerHost: string): string {
  const { protocol, hostname, port, pathname } = new URL(dockerHost);
  return protocol === "ssh:" ? `${hostname.toLowerCase()}:${port || "22"}` : pathname;
}

function siteProblems({ edges, mailHost, domains }: EdgesConfig): Problem[] {
  const passed = new Set(passthroughNames(mailHost, domains).map((name) => name.toLowerCase()));
  const sites = edges.flatMap(({ sites: own, certificates }, edge) =>
    own.map(({ host }, site) => ({ edge, site, certificates, host: host.toLowerCase() })),
  );
  return sites.flatMap((one, index) => {
    const path = keyPath(["edges", one.edge, "sites", one.site, "host"]);
    if (passed.has(one.host))
      return [
        {
          path,
          message:
            "is passed through to Stalwart, so Caddy must not answer it (lesson 5); accepts another name",
          example: `www.${domains[0]?.name}`,
        },
      ];
    const same = sites.slice(0, index).filter(({ host }) => host === one.host);
    const here = same.find(({ edge }) => edge === one.edge);
    if (here)
      return [
        { path, message: `is edges[${here.edge}].sites[${here.site}].host already; accepts each name once` },
      ];
    const other = same.find(({ certificates }) => certificates === "acme");
    return other && one.certificates === "acme"
      ? [
          {
            path,
            message: `is edges[${other.edge}].sites[${other.site}].host, whose certificate that edge's Caddy orders: two clients spend one budget (lesson 7), and the CA asks either of them; accepts each name at one edge, or certificates: internal`,
          },
        ]
      : [];
  });
}

/** A connection that the edge hands to itself comes round for ever. */
function fallbackProblems({ edges, services }: EdgesConfig): Problem[] {
  const own: number[] = [443, ...services.map((service) => MAIL_SERVICES[service].port)];
  return edges.flatMap(({ fallback, wanAddress }, index) => {
    const [, host = "", port] = /^(.*):(\d+)$/.exec(fallback?.to ?? "") ?? [];
    const here = /^(?:127\.[\d.]+|localhost)$/i.test(host) || host === wanAddress;
    return here && own.includes(Number(port))
      ? [
          {
            path: keyPath(["edges", index, "fallback", "to"]),
            message: `is the edge's own port ${port}, so connections would come round for ever; accepts the other web server's own port`,
            example: "127.0.0.1:8443",
          },
        ]
      : [];
  });
}
