/** Which way mail for elsewhere is declared to go, and where a probe of it can be handed in. */

/** A route by its name, and whom it hands mail to. */
export type DeclaredRoute =
  { name: string; to: "relay"; host: string; port: number } | { name: string; to: "mx" | "local" };

/** A listener that takes mail, as seen from inside the container. */
export interface Submission {
  /** Address; no brackets. */
  host: string;
  port: number;
  /** TLS from the first byte; STARTTLS otherwise. */
  implicitTls: boolean;
}

/** A route's name in an expression such as `'smarthost'`. */
export const nameIn = (expression: unknown): string | undefined => /^'(.*)'$/.exec(String(expression))?.[1];

/** A rule for domains of one's own says nothing about mail for elsewhere. */
export const isForLocalDomains = (condition: unknown): boolean =>
  String(condition).includes("is_local_domain");

/**
 * Of listeners for mail the one to hand it to: implicit TLS first; undefined when there is none.
 */
export function submissionAmong(listeners: { bind: string; tls: boolean }[]): Submission | undefined {
  const found = listeners.flatMap(({ bind, tls }) => {
    const [, host = "", port = ""] = /^\[?([^\]]*)\]?:(\d+)$/.exec(bind) ?? [];
    if (port === "") return [];
    const loopback = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
    return [{ host: loopback, port: Number(port), implicitTls: tls }];
  });
  return found.find(({ implicitTls }) => implicitTls) ?? found[0];
}
