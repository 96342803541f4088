/** Ports that URLs leave out, by scheme. */
export const SCHEME_PORTS: Readonly<Record<string, number>> = {
  amqp: 5672,
  http: 80,
  https: 443,
  mariadb: 3306,
  mongodb: 27_017,
  mysql: 3306,
  postgres: 5432,
  postgresql: 5432,
  redis: 6379,
  rediss: 6379,
};

/** Where a URL leads to. */
export interface UrlTarget {
  /** In lower case. */
  scheme: string;
  /** As it is written, IPv6 in its brackets. */
  host: string;
  port: number;
  /**
   * True when a login stands before the host whose password is no macro, which Stalwart fills in.
   */
  hasLogin: boolean;
}

/** What stands for a macro, and in no URL otherwise. */
const MACRO = "\0";

/**
 * The host and the port of a URL, also of one that the WHATWG's parser does not take:
 * `postgresql+psycopg://…`, a macro as password.
 *
 * @returns undefined where no host is told, or a scheme whose port is not known
 * @example targetOf("http://s3.tail7b1641.ts.net:7070")
 * // { scheme: "http", host: "s3.tail7b1641.ts.net", port: 7070, hasLogin: false }
 */
export function targetOf(url: string): UrlTarget | undefined {
  const plain = url.replace(/%\{[^}]{1,200}\}%/g, MACRO);
  const [, scheme = "", authority = ""] = /^([a-z]+)(?:\+\w+)?:\/\/([^/?#\s]+)/i.exec(plain) ?? [];
  const fallback = SCHEME_PORTS[scheme.toLowerCase()];
  const [, login = "", host = "", own] = /^(?:(.*)@)?(\[[^\]]+\]|[^:@]+)(?::(\d+))?$/.exec(authority) ?? [];
  if (fallback === undefined || host === "" || host.includes(MACRO)) return undefined;
  const port = Number(own ?? fallback);
  return {
    scheme: scheme.toLowerCase(),
    host,
    port: port > 0 && port < 65_536 ? port : fallback,
    hasLogin: login !== "" && !login.endsWith(`:${MACRO}`),
  };
}
