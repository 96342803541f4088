import type { PolicyResource } from "../../framework/policy.ts";
import { walk } from "../../framework/values.ts";
import { textsOf, type TextPiece } from "../decoded-texts.ts";
import { hostPort } from "../hosts.ts";

/** A connection that a resource says it opens. */
export interface Connection {
  readonly where: string;
  /** In lower case, without a final dot. */
  readonly host: string;
  readonly port: number;
  /** What is reached there. @example "the relay" */
  readonly role: string;
  /** True for the host of a URL with a password: messages then leave the host out. */
  readonly quiet?: true;
}

/** An upstream of a Caddyfile: `host:port`, `https://host`, `h2c://host:8080`. */
function caddyfileUpstream(word: string): [string, number] | undefined {
  const [, scheme = "", rest = ""] = /^(?:([a-z0-9]+):\/\/)?(.*)$/i.exec(word) ?? [];
  const bare = rest.replace(/\/.*$/, "");
  const fallback = scheme === "https" ? 443 : 80;
  return (
    hostPort(bare) ??
    (/^[a-z0-9.-]+$/i.test(bare) && scheme !== "" ? [bare.toLowerCase(), fallback] : undefined)
  );
}

/** Directives of a Caddyfile that are followed by upstreams. */
const DIRECTIVE = /^[ \t]*(?:reverse_proxy|php_fastcgi|proxy|upstream|to)[ \t]+(.*)$/gm;

function inPiece({ where, text, key }: TextPiece): Connection[] {
  const found =
    key === "dial"
      ? [hostPort(text)]
      : [...text.matchAll(DIRECTIVE)].flatMap(([, words = ""]) => words.split(/\s+/).map(caddyfileUpstream));
  return found.flatMap((upstream) =>
    upstream ? [{ where, host: upstream[0], port: upstream[1], role: "Caddy's upstream" }] : [],
  );
}

/** True for a text that Caddy could read; cheap, since it is asked of every text of the stack. */
const mayBeCaddy = (text: string): boolean =>
  text.length > 10 && (text.includes('"dial') || text.includes("reverse_proxy") || text.includes("layer4"));

/** Inputs that can hold a config. Not the triggers of a command, which repeat it. */
const CARRIER = /^(?:uploads|envs|command|entrypoints|stdin|create|update|environment)\b/;

/** The upstreams in whatever Caddy config a resource carries: uploads, commands, standard input. */
export function upstreamsOf({ props }: PolicyResource): Connection[] {
  const worthReading = walk(props).leaves.some(
    ({ path, value }) =>
      typeof value === "string" &&
      CARRIER.test(String(path[0])) &&
      (path.at(-1) === "contentBase64" || mayBeCaddy(value)),
  );
  if (!worthReading) return [];
  return textsOf(props).pieces.flatMap((piece) =>
    CARRIER.test(piece.where) && (piece.key === "dial" || mayBeCaddy(piece.text)) ? inPiece(piece) : [],
  );
}
