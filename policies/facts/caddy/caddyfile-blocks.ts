/**
 * The shape of a Caddyfile: lines of words, some with a block.
 * https://caddyserver.com/docs/caddyfile/concepts
 */

export interface Block {
  readonly line: number;
  readonly words: readonly string[];
  /** Lines between the braces; undefined where there are none. */
  readonly body?: readonly Block[];
}

interface Word {
  readonly text: string;
  readonly line: number;
  readonly quoted: boolean;
}

/** The lines that begin with one of some words. */
export const named = (blocks: readonly Block[], ...names: string[]): Block[] =>
  blocks.filter(({ words: [word = ""] }) => names.includes(word));

const MAX_WORDS = 50_000;

/** Words with the number of their line; undefined when a quote or heredoc is left open. */
function wordsOf(text: string): Word[] | undefined {
  const words: Word[] = [];
  // Blanks and comments, a continued line, "…", `…`, a heredoc's begin, or a bare word.
  const token =
    /([^\S\n]+|#[^\n]*|\\\r?\n)|(\n)|"((?:[^"\\]|\\[^])*)"|`([^`]*)`|<<([\w-]+)[^\S\n]*\n|([^\s"`][^\s]*)|(["`])/y;
  let line = 1;
  while (token.lastIndex < text.length) {
    const at = line;
    const [whole = "", blank, end, double, raw, heredoc, bare] = token.exec(text) ?? [];
    if (whole === "") return undefined;
    line += whole.split("\n").length - 1;
    if (blank !== undefined) continue;
    if (end !== undefined) words.push({ text: "\n", line: at, quoted: false });
    else if (double !== undefined) words.push({ text: double.replace(/\\"/g, '"'), line: at, quoted: true });
    else if (raw !== undefined) words.push({ text: raw, line: at, quoted: true });
    else if (heredoc !== undefined) {
      const rest = text.slice(token.lastIndex);
      const close = new RegExp(`^[^\\S\\n]*${heredoc}(?=\\s|$)`, "m").exec(rest);
      if (!close) return undefined;
      words.push({ text: rest.slice(0, close.index), line: at, quoted: true });
      token.lastIndex += close.index + close[0].length;
      line += rest.slice(0, close.index).split("\n").length - 1;
    } else if (bare !== undefined) words.push({ text: bare, line: at, quoted: false });
    else return undefined;
    if (words.length > MAX_WORDS) return undefined;
  }
  return words;
}

/** The lines and blocks of a Caddyfile; undefined when braces or quotes do not match. */
export function blocksOf(text: string): Block[] | undefined {
  const words = wordsOf(text);
  if (!words) return undefined;
  const open: { words: string[]; line: number; body: Block[] }[] = [];
  const top: Block[] = [];
  const body = (): Block[] => open.at(-1)?.body ?? top;
  let current: string[] = [];
  let start = 0;
  const flush = (): void => {
    if (current.length > 0) body().push({ line: start, words: current });
    current = [];
  };
  for (const [i, word] of words.entries()) {
    const next = words[i + 1]?.text ?? "\n";
    if (word.text === "\n" && !word.quoted) {
      // The addresses of a site may go on after a comma.
      if (open.length > 0 || !current.at(-1)?.endsWith(",")) flush();
    } else if (word.text === "{" && !word.quoted && next === "\n") {
      if (open.length > 30) return undefined;
      open.push({ words: current, line: current.length > 0 ? start : word.line, body: [] });
      current = [];
    } else if (word.text === "}" && !word.quoted) {
      flush();
      const closed = open.pop();
      if (!closed) return undefined;
      body().push(closed);
    } else {
      if (current.length === 0) start = word.line;
      current.push(word.text);
    }
  }
  flush();
  return open.length === 0 ? top : undefined;
}

/** Fills in `{args[0]}` and `{args.0}`. */
function withArgs(block: Block, args: readonly string[]): Block {
  const words = block.words.flatMap((word) =>
    word === "{args[:]}"
      ? args
      : [
          word.replace(
            /\{args(?:\[(\d+)\]|\.(\d+))\}/g,
            (whole, a?: string, b?: string) => args[Number(a ?? b)] ?? whole,
          ),
        ],
  );
  return {
    line: block.line,
    words,
    ...(block.body && { body: block.body.map((inner) => withArgs(inner, args)) }),
  };
}

/**
 * Puts snippets in the place of their imports.
 *
 * @param missing called with the line of an import of something that is not in this text
 */
export function importSnippets(
  blocks: readonly Block[],
  snippets: ReadonlyMap<string, readonly Block[]>,
  missing: (line: number) => void,
  depth = 0,
  budget = { lines: MAX_WORDS },
): Block[] {
  return blocks.flatMap((block): Block[] => {
    const [word, name = "", ...args] = block.words;
    if (word === "import") {
      const snippet = depth < 5 && budget.lines > 0 ? snippets.get(name) : undefined;
      budget.lines -= snippet?.length ?? 0;
      if (!snippet) missing(block.line);
      return importSnippets(
        (snippet ?? []).map((inner) => withArgs(inner, args)),
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
