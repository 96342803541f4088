/** Caddy as caddy-docker-proxy drives it, by the labels of containers: labels make a Caddyfile. */
import type { PolicyResource } from "../../framework/policy.ts";
import { formatPath, listAt, readString, UNKNOWN_AT_PREVIEW } from "../../framework/values.ts";
import type { Block } from "./caddyfile-blocks.ts";
import { readBlocks } from "./caddyfile.ts";
import { fillIn } from "./environment.ts";
import type { CaddyConfig } from "./model.ts";

interface Label {
  readonly name: string;
  readonly value: string;
}

const CADDY = /^caddy(?:_\d+)?(?:\.|$)/;
/** The last part of a label: a number in front is its order, one behind tells it from another. */
const PART = /^(?:(.+)\.)?(?:(\d+)_)?([^.]+?)(?:_\d+)?$/;
/** Stands for a dot of a name, which a label spells `\.`. */
const DOT = "\0";

/** Words, of which a template is one: `{{upstreams 25}}` stands for the container itself. */
function wordsOf(value: string, container: string): string[] {
  const filled = value.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, template: string) => {
    const [, port] = /^upstreams(?:\s+[a-z]\w*)?(?:\s+(\d+))?$/.exec(template) ?? [];
    if (template.startsWith("upstreams")) return port === undefined ? container : `${container}:${port}`;
    return "{template}";
  });
  // The environment is that of the Caddy, which is another container.
  const words = fillIn(filled, { values: new Map(), incomplete: true }).match(/"[^"]*"|`[^`]*`|\S+/g) ?? [];
  return words.map((word) => word.replace(/^(["`])(.*)\1$/s, "$2"));
}

interface Building {
  readonly line: number;
  readonly place: string;
  readonly order: number;
  readonly words: string[];
  readonly body: Building[];
}

const finished = ({ words, body, line, place }: Building): Block => ({
  line,
  place,
  words,
  ...(body.length > 0 && { body: body.toSorted((a, b) => a.order - b.order).map(finished) }),
});

/** The blocks of a Caddyfile that labels spell, with what has no address of a site in front. */
function blocksOf(labels: readonly Label[], container: string): Block[] {
  const blocks = new Map<string, Building>();
  const top: Building[] = [];
  const blockAt = (path: string): Building => {
    const known = blocks.get(path);
    if (known) return known;
    const [, parent, order, name = ""] = PART.exec(path) ?? [];
    const block: Building = {
      line: blocks.size + 1,
      place: `(${path.replaceAll(DOT, "\\.")})`,
      order: order === undefined ? Infinity : Number(order),
      words: parent === undefined ? [] : [name.replaceAll(DOT, ".")],
      body: [],
    };
    blocks.set(path, block);
    (parent === undefined ? top : blockAt(parent).body).push(block);
    return block;
  };
  for (const { name, value } of labels)
    blockAt(name.replaceAll("\\.", DOT)).words.push(...wordsOf(value, container));
  const all = top.map(finished);
  const [options, sites] = [true, false].map((isOptions) =>
    all.filter(({ words }) => (words.length === 0) === isOptions),
  );
  const lines = options?.flatMap(({ body = [] }) => body) ?? [];
  return [...(lines.length > 0 ? [{ line: 0, words: [], body: lines }] : []), ...(sites ?? [])];
}

/** What a container's labels say to a Caddy that is driven by them; undefined where none does. */
export function configOfLabels({ props }: PolicyResource): CaddyConfig | undefined {
  const gaps: CaddyConfig["gaps"][number][] = [];
  const labels = listAt(props, ["labels"]).entries.flatMap(({ path }): Label[] => {
    const name = readString(props, [...path, "label"]).value;
    if (name === undefined || !CADDY.test(name)) return [];
    const { known, value = "" } = readString(props, [...path, "value"]);
    if (!known) gaps.push({ where: formatPath([...path, "value"]), because: UNKNOWN_AT_PREVIEW });
    return known ? [{ name, value }] : [];
  });
  if (labels.length + gaps.length === 0) return undefined;
  const sorted = labels.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const container = readString(props, ["name"]).value ?? "{template}";
  const config = readBlocks(blocksOf(sorted, container), "labels", true);
  return config && { ...config, gaps: [...gaps, ...config.gaps], byLabels: true };
}
