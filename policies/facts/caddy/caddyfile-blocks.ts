/**
 * The shape of a Caddyfile: lines of words, some with a block.
 * https://caddyserver.com/docs/caddyfile/concepts
 */

export interface Block {
  readonly line: number;
  /** Where it is, for a reader, if not in that line. */
  readonly place?: string;
  readonly words: readonly string[];
  /** Lines between the braces; undefined where there are none. */
  readonly body?: readonly Block[];
}

interface Word {
  readonly text: string;
  readonly line: number;
  readonly quoted: boolean;
}

/** Where a block is, for a reader. */
export const placeOf = ({ line, place }: Block): string => place ?? `line ${line}`;

/** The lines that begin with one of some words. */
export const named = (blocks: readonly Block[], ...names: string[]): Block[] =>
  blocks.filter(({ words: [word = ""] }) => names.includes(word));

const MAX_WORDS = 50_000;

/** Why a text is no Caddyfile. */
class Fault extends Error {}

/** Words with the number of their line. */
function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  // Blanks and comments, a continued line, "…", `…`, a heredoc's begin, or a bare word.
  const token =
    /([^\S\n]+|#[^\n]*|\\\r?\n)|(\n)|"((?:[^"\\]|\\[^])*)"|`([^`]*)`|<<([\w-]+)[^\S\n]*\n|([^\s"`][^\s]*)|(["`])/y;
  let line = 1;
  while (token.lastIndex < text.length) {
    const at = line;
    const [whole = "", blank, end, double, raw, heredoc, bare] = token.exec(text) ?? [];
    if (whole === "") throw new Fault(`what begins in line ${line} cannot be read`);
    line += whole.split("\n").length - 1;
    if (blank !== undefined) continue;
    if (end !== undefined) words.push({ text: "\n", line: at, quoted: false });
    else if (double !== undefined) words.push({ text: double.replace(/\\"/g, '"'), line: at, quoted: true });
    else if (raw !== undefined) words.push({ text: raw, line: at, quoted: true });
    else if (heredoc !== undefined) {
      const rest = text.slice(token.lastIndex);
      const close = new RegExp(`^[^\\S\\n]*${heredoc}(?=\\s|$)`, "m").exec(rest);
      if (!close) throw new Fault(`the text <<${heredoc} of line ${at} does not end`);
      words.push({ text: rest.slice(0, close.index), line: at, quoted: true });
      token.lastIndex += close.index + close[0].length;
      line += rest.slice(0, close.index).split("\n").length - 1;
    } else if (bare !== undefined) words.push({ text: bare, line: at, quoted: false });
    else throw new Fault(`the quotes of line ${at} do not end`);
    if (words.length > MAX_WORDS) throw new Fault("it is too long");
  }
  return words;
}

/** The lines and blocks of a Caddyfile; undefined when braces or quotes do not match. */
export function blocksOf(text: string): Block[] | undefined {
  const read = readBlocks(text);
  return typeof read === "string" ? undefined : read;
}

/** Why a text has no lines and blocks, with the line; undefined when it has them. */
export function faultIn(text: string): string | undefined {
  const read = readBlocks(text);
  return typeof read === "string" ? read : undefined;
}

function readBlocks(text: string): Block[] | string {
  try {
    return parse(wordsOf(text));
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

function parse(words: readonly Word[]): Block[] {
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
      if (open.length > 30) throw new Fault(`the blocks of line ${word.line} are nested too deep`);
      open.push({ words: current, line: current.length > 0 ? start : word.line, body: [] });
      current = [];
    } else if (word.text === "}" && !word.quoted) {
      flush();
      const closed = open.pop();
      if (!closed) throw new Fault(`no block is open that the } of line ${word.line} could end`);
      body().push(closed);
    } else {
      if (current.length === 0) start = word.line;
      current.push(word.text);
    }
  }
  flush();
  const [unclosed] = open;
  if (unclosed) throw new Fault(`the block of line ${unclosed.line} does not end`);
  return top;
}
