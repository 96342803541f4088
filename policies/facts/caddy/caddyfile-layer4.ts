import type { Json } from "../../../lib/json-values.ts";
import type { Block } from "./caddyfile-blocks.ts";

/** Notes where a node was written and returns it. */
export type Note = <T extends object>(node: T, block: Block) => T;

const NAMES = /^(?:sni|alpn)$/;

/** `tls sni a b`, `tls { sni a b }`, `tls sni_regexp ^a$`, `not tls`; of others the name alone. */
function matcherOf(words: readonly string[], body: readonly Block[] | undefined): Json {
  const [kind = "", ...rest] = words;
  if (kind === "not") return { not: [rest.length > 0 ? matcherOf(rest, body) : setOf(body ?? [])] };
  const lines = [rest, ...(body ?? []).map((block) => block.words)].filter((line) => line.length > 0);
  const options: Json = {};
  for (const [option = "", ...values] of lines) {
    if (NAMES.test(option))
      options[option] = [...((options[option] as string[] | undefined) ?? []), ...values];
    // A name for what it finds may stand in front.
    else options[option] = option === "sni_regexp" ? { pattern: values.at(-1) } : true;
  }
  return { [kind]: options };
}

const setOf = (blocks: readonly Block[]): Json =>
  Object.assign({}, ...blocks.map((block) => matcherOf(block.words, block.body))) as Json;

function upstreamOf(block: Block, note: Note): Json {
  const [, ...dial] = block.words;
  const lines = block.body ?? [];
  const more = lines.flatMap(({ words: [option, ...values] }) => (option === "dial" ? values : []));
  const limit = lines.find(({ words }) => words[0] === "max_connections")?.words[1];
  return note(
    { dial: [...dial, ...more], ...(limit !== undefined && { max_connections: Number(limit) }) },
    block,
  );
}

function proxyOf(block: Block, note: Note): Json {
  const [, ...short] = block.words;
  const lines = block.body ?? [];
  const option = (name: string): string | undefined => lines.find(({ words }) => words[0] === name)?.words[1];
  const port = option("health_port");
  return {
    proxy_protocol: option("proxy_protocol"),
    ...(port !== undefined && { health_checks: { active: { port: Number(port) || 1 } } }),
    upstreams: [
      ...short.map((address) => note({ dial: [address] }, block)),
      ...lines.filter(({ words }) => words[0] === "upstream").map((line) => upstreamOf(line, note)),
    ],
  };
}

function handlerOf(block: Block, note: Note): Json {
  const [kind = ""] = block.words;
  const own =
    kind === "proxy"
      ? proxyOf(block, note)
      : kind === "subroute"
        ? { routes: routesOf(block.body ?? [], note) }
        : {};
  return note({ handler: kind, ...own }, block);
}

/** The routes of a layer4 server, wrapper or subroute, as Caddy's JSON has them. */
export function routesOf(blocks: readonly Block[], note: Note): Json[] {
  const sets = new Map<string, Json>();
  const routes: Json[] = [];
  for (const block of blocks) {
    const [first = "", ...rest] = block.words;
    if (first.startsWith("@")) {
      sets.set(first, rest.length > 0 ? matcherOf(rest, block.body) : setOf(block.body ?? []));
    } else if (first === "route") {
      const handle = (block.body ?? []).map((handler) => handlerOf(handler, note));
      // A name that is not defined above stands for a matcher that is not known, never for none.
      const match = rest.map((name) => sets.get(name) ?? { [name]: {} });
      routes.push(note({ ...(match.length > 0 && { match }), handle }, block));
    }
  }
  return routes;
}
