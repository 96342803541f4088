/** Hosts as stacks write them. */

/** A DNS name as it is compared. */
export const plainName = (name: string): string => name.trim().toLowerCase().replace(/\.$/, "");

/** A host as it is compared: {@link plainName}, and an IPv6 address without its brackets. */
export const plainHost = (host: string): string => plainName(host.replace(/^\[|\]$/g, ""));

export const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d+){3}|::1)$/.test(host);

/** The port that a text says; undefined where it says none, or no such number. */
export function portOf(text: unknown): number | undefined {
  const port = Number(text);
  return text !== undefined && text !== "" && Number.isInteger(port) && port > 0 && port < 65_536
    ? port
    : undefined;
}

/** Takes `host:port` or `tcp/host:port` apart; undefined for a socket or a placeholder. */
export function hostPort(text: string): [host: string, port: number] | undefined {
  const [, host, port] =
    /^(?:(?:tcp|udp)[46]?\/)?(\[[^\]{}]+\]|[^\s:/{}[\]]*):(\d{1,5})(?:-\d+)?$/i.exec(text) ?? [];
  return host === undefined || port === undefined ? undefined : [plainHost(host), Number(port)];
}
