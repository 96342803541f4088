import { named, type Block } from "./caddyfile-blocks.ts";

const SNIPPET = /^\(([^()\s]+)\)$/;
/** Snippets that import one another could grow without end. */
const MAX_LINES = 50_000;
const MAX_DEPTH = 5;

/** The blocks that define a snippet, with their names. */
export function snippetsOf(blocks: readonly Block[]): Map<Block, string> {
  return new Map(
    blocks.flatMap((block): [Block, string][] => {
      const name = block.words.length === 1 ? SNIPPET.exec(block.words[0] ?? "")?.[1] : undefined;
      return name === undefined ? [] : [[block, name]];
    }),
  );
}

/** What an import gives to its snippet: words, and lines. */
interface Given {
  readonly args: readonly string[];
  readonly lines: readonly Block[];
}

/** Fills in `{args[0]}`, `{args.0}`, the slices `{args[:]}` and `{args[1:]}`, and `{block}`. */
function withGiven(block: Block, given: Given): Block[] {
  const { args, lines } = given;
  const [word = ""] = block.words;
  if (word === "{block}" && !block.body) return [...lines];
  const part = /^\{blocks\.([^{}]+)\}$/.exec(word)?.[1];
  if (part !== undefined && !block.body) return named(lines, part).flatMap(({ body = [] }) => body);
  const words = block.words.flatMap((word) => {
    const [slice, from, to] = /^\{args\[(\d*):(\d*)\]\}$/.exec(word) ?? [];
    if (slice !== undefined) return args.slice(Number(from), to ? Number(to) : undefined);
    const filled = word.replace(
      /\{args(?:\[(\d+)\]|\.(\d+))\}/g,
      (whole, a?: string, b?: string) => args[Number(a ?? b)] ?? whole,
    );
    return [filled];
  });
  const body = block.body?.flatMap((inner) => withGiven(inner, given));
  return [{ ...block, words, ...(body && { body }) }];
}

/**
 * Puts snippets in the place of their imports.
 *
 * @param missing called with an import of something that is not in this text
 */
export function importSnippets(
  blocks: readonly Block[],
  snippets: ReadonlyMap<string, readonly Block[]>,
  missing: (block: Block) => void,
  depth = 0,
  budget = { lines: MAX_LINES },
): Block[] {
  return blocks.flatMap((block): Block[] => {
    const [word, name = "", ...args] = block.words;
    if (word === "import") {
      const snippet = depth < MAX_DEPTH && budget.lines > 0 ? snippets.get(name) : undefined;
      budget.lines -= snippet?.length ?? 0;
      if (!snippet) missing(block);
      return importSnippets(
        (snippet ?? []).flatMap((inner) => withGiven(inner, { args, lines: block.body ?? [] })),
        snippets,
        missing,
        depth + 1,
        budget,
      );
    }
    return [
      block.body ? { ...block, body: importSnippets(block.body, snippets, missing, depth, budget) } : block,
    ];
  });
}
