import { named, type Block } from "./caddyfile-blocks.ts";

const PLACEHOLDER = String.raw`\{[^\s{}]+\}`;
/** A name may be of any script. Placeholders may stand anywhere. */
const HOST = String.raw`\[[0-9a-f:.]+\]|(?:[^\s/:{}[\]()"'\x60,;@=<>|&$#!\\]|${PLACEHOLDER})*`;
/** A site's address. */
const ADDRESS = new RegExp(
  String.raw`^(?:(https?)://)?(${HOST})(?::((?:\d|${PLACEHOLDER})+(?:-\d+)?))?(?:/\S*)?$`,
  "iu",
);

export const isAddress = (word: string): boolean => ADDRESS.test(word);

/** Whether an address is one beyond doubt, and not a word of whatever else has braces. */
export const isPlainlyAddress = (word: string): boolean =>
  isAddress(word) && /[.:{]|^localhost$/.test(word) && !word.endsWith(":");

/** A site's address taken apart. */
export interface Address {
  readonly host: string;
  readonly port: string;
  /** Has no TLS, by its scheme or its port. */
  readonly plain: boolean;
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
  const plain = scheme === "http" || (scheme !== "https" && known === http);
  return { host, port: known, plain, secure: scheme === "https" || (!plain && host !== "") };
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
