import { named, type Block } from "./caddyfile-blocks.ts";

/** A site's address. Placeholders may stand anywhere. */
export const ADDRESS =
  /^(?:(https?):\/\/)?(\[[0-9a-f:.]+\]|(?:[\w*.-]|\{[^\s{}]+\})*)(?::(\d+(?:-\d+)?|\{[^\s{}]+\}))?(?:\/\S*)?$/i;

interface Address {
  readonly host: string;
  readonly port: string;
  readonly secure: boolean;
}

/** What the global options say about the sites. */
export interface Globals {
  readonly http: string;
  readonly https: string;
  readonly autoHttps: ReadonlySet<string>;
  /** Where sites listen that do not say it themselves; see {@link listenAt}. */
  readonly binds: readonly string[];
}

/** A site's address taken apart, with the port that it stands for. */
export function addressOf(word: string, { http, https }: Globals): Address | undefined {
  const parts = ADDRESS.exec(word);
  if (!parts || word === "") return undefined;
  const [, scheme, host = "", port] = parts;
  const known = port ?? (scheme === "http" ? http : https);
  return { host, port: known, secure: scheme === "https" || (scheme !== "http" && known === https) };
}

/** The addresses of a site, which blanks or commas separate. */
export const addressesIn = (words: readonly string[]): string[] =>
  words.flatMap((word) => word.split(",")).filter((word) => word !== "");

/** What lines such as `bind 127.0.0.1 ::1` name; an empty one stands for every address. */
export function bindsIn(blocks: readonly Block[], option: "bind" | "default_bind"): string[] {
  return named(blocks, option).flatMap(({ words: [, ...hosts] }) => (hosts.length > 0 ? hosts : [""]));
}

/** The listener of a site on an address to bind, which may have a network and brackets. */
export function listenAt(bind: string, port: string): string {
  const [, network = "", rest = ""] = /^(?:([^/]*)\/)?(.*)$/s.exec(bind) ?? [];
  if (/^(?:unix|fd)/i.test(network)) return bind;
  const plain = /^\[([^\]]*)\](?::[^:]*)?$/.exec(rest)?.[1];
  // Behind a name or an IPv4 address a port may stand, which Caddy drops.
  const host = plain ?? (rest.split(":").length === 2 ? rest.replace(/:.*$/, "") : rest);
  return `${network && `${network}/`}${host.includes(":") ? `[${host}]` : host}:${port}`;
}
