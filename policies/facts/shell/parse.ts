import { bareWord, type Command, type Statement, type Word } from "./syntax.ts";
import { readQuoted, readWord, type Cursor } from "./words.ts";

/** Words that begin or go on with a compound command, and those that end it. */
const OPENS = /^(?:\{|if|while|until|for|case)$/;
const GOES_ON = /^(?:then|else|elif|do|!|time)$/;
const CLOSES = /^(?:\}|fi|done|esac)$/;

/** A heredoc whose text begins at the next line. */
interface Heredoc {
  readonly word: string;
  readonly quoted: boolean;
  readonly of: readonly Command[];
}

const newCommand = (pipeline = Symbol("pipeline")): Command => ({
  kind: "command",
  words: [],
  sets: [],
  texts: [],
  reads: [],
  writesTo: [],
  pipeline,
});

/**
 * The statements of a shell script (sh, bash), in the order in which they are written. Compound
 * commands are taken apart: both branches of an `if` are there, and a loop's body once.
 */
export const parseShell = (text: string): Statement[] =>
  statements({ text: text.replace(/\r\n/g, "\n"), at: 0 }, "");

function statements(cursor: Cursor, end: ")" | "}" | ""): Statement[] {
  const list: Statement[] = [];
  /** Where the compound commands begin that are open, and where the last one began that closed. */
  const open: { readonly at: number; readonly bracket: boolean }[] = [];
  let closed: number | undefined;
  let heredocs: Heredoc[] = [];
  let command = newCommand();

  const isEmpty = (): boolean => command.words.length + command.sets.length + command.texts.length === 0;
  const finish = (): void => {
    if (isEmpty()) return;
    loopVariable(command);
    list.push(command);
  };
  const next = (piped: boolean): void => {
    if (piped && closed !== undefined)
      for (const one of list.slice(closed)) if (one.kind === "command") one.pipeline = command.pipeline;
    finish();
    command = newCommand(piped ? command.pipeline : undefined);
    closed = undefined;
  };
  /** What a redirection is for: a compound command that has just closed, or the one being read. */
  const concerned = (): Command[] =>
    closed === undefined ? [command] : list.slice(closed).filter((one) => one.kind === "command");
  const close = (): void => {
    finish();
    command = newCommand(command.pipeline);
    closed = open.pop()?.at ?? list.length;
  };

  for (skipBlanks(cursor); cursor.at < cursor.text.length; skipBlanks(cursor)) {
    const { text, at } = cursor;
    const char = text[at] as string;
    const redirection = /^(?:\d*|&)(<<<|<<-?|<&|>&|>>|>\||<|>)(?!\()/.exec(text.slice(at, at + 8));
    if (char === "\n") {
      cursor.at++;
      readHeredocs(cursor, heredocs);
      heredocs = [];
      // A pipe at a line's end goes on in the next.
      if (!isEmpty() || closed !== undefined) next(false);
    } else if (redirection) {
      cursor.at += redirection[0].length;
      redirect(cursor, redirection[1] as string, concerned(), heredocs);
    } else if (char === "<" || char === ">") cursor.at++;
    else if (char === "|" && text[at + 1] !== "|") {
      cursor.at += text[at + 1] === "&" ? 2 : 1;
      next(true);
    } else if (/[;&|]/.test(char)) {
      cursor.at++;
      next(false);
    } else if (char === "(") {
      cursor.at++;
      open.push({ at: list.length, bracket: true });
    } else if (char === ")") {
      cursor.at++;
      if (end === ")" && open.length === 0) break;
      // Otherwise it ends a pattern of a `case`.
      if (open.at(-1)?.bracket) close();
      else next(false);
    } else {
      const start = cursor.at;
      const word = readWord(cursor, statements);
      const bare = command.words.length === 0 ? bareWord(word) : undefined;
      const named = bare === undefined ? undefined : /^\s*\(\)\s*\{/.exec(text.slice(cursor.at));
      if (bare !== undefined && named) {
        cursor.at += named[0].length;
        list.push({ kind: "function", name: bare, body: statements(cursor, "}") });
      } else if (bare === "function") {
        const [head, name = ""] = /^\s*([\w-]+)\s*(?:\(\))?\s*\{/.exec(text.slice(cursor.at)) ?? [""];
        cursor.at += head.length;
        list.push({ kind: "function", name, body: statements(cursor, "}") });
      } else if (bare === "}" && end === "}" && open.length === 0) break;
      else if (bare !== undefined && CLOSES.test(bare)) close();
      else if (bare !== undefined && OPENS.test(bare)) {
        open.push({ at: list.length, bracket: false });
        if (bare === "for") command.words.push(word);
      } else if (bare === undefined || !GOES_ON.test(bare)) {
        const setting = command.words.length === 0 ? assignment(cursor, start) : undefined;
        if (setting) command.sets.push(setting);
        else command.words.push(word);
      }
    }
  }
  finish();
  return list;
}

/** Goes to the next word: over blanks, lines that go on, and comments. */
function skipBlanks(cursor: Cursor): void {
  const [blanks = ""] = /^(?:[ \t]|\\\n)*(?:#[^\n]*)?/.exec(cursor.text.slice(cursor.at)) ?? [];
  cursor.at += blanks.length;
}

/** The assignment that begins at a place; the cursor is behind its word. */
function assignment(cursor: Cursor, start: number): Command["sets"][number] | undefined {
  const [head, name = ""] = /^(\w+)\+?=/.exec(cursor.text.slice(start)) ?? [""];
  if (head === "") return undefined;
  cursor.at = start + head.length;
  if (cursor.text[cursor.at] !== "(") return { name, value: readWord(cursor, statements) };
  // A list: its members are words for whoever uses it.
  cursor.at++;
  const [list] = statements(cursor, ")");
  const words = list?.kind === "command" ? list.words : [];
  return { name, value: spaced(words) };
}

const spaced = (words: readonly Word[]): Word =>
  words.flatMap((word, index) => (index === 0 ? word : [{ kind: "text" as const, text: " " }, ...word]));

/** `for x in a b`: the variable is any of the words. */
function loopVariable(command: Command): void {
  const [keyword, name, preposition, ...words] = command.words;
  if (bareWord(keyword) !== "for" || bareWord(preposition) !== "in") return;
  command.sets.push({ name: bareWord(name) ?? "", value: spaced(words) });
  command.words.length = 0;
}

function redirect(cursor: Cursor, sign: string, of: readonly Command[], heredocs: Heredoc[]): void {
  skipBlanks(cursor);
  const start = cursor.at;
  const word = readWord(cursor, statements);
  if (sign.startsWith("<<") && sign !== "<<<") {
    const quoted = /['"\\]/.test(cursor.text.slice(start, cursor.at));
    heredocs.push({ word: bareWord(word) ?? "", quoted, of });
  } else {
    const kind =
      sign === "<<<" ? "texts" : sign === "<" ? "reads" : sign.endsWith("&") ? undefined : "writesTo";
    if (kind) for (const command of of) command[kind].push(word);
  }
}

/** Gives each heredoc of a line its text, which begins at the cursor. */
function readHeredocs(cursor: Cursor, heredocs: readonly Heredoc[]): void {
  for (const { word, quoted, of } of heredocs) {
    const lines: string[] = [];
    while (cursor.at < cursor.text.length) {
      const end = cursor.text.indexOf("\n", cursor.at);
      const line = cursor.text.slice(cursor.at, end < 0 ? undefined : end);
      cursor.at += line.length + 1;
      if (line.trim() === word) break;
      lines.push(`${line}\n`);
    }
    const text = lines.join("");
    const value: Word = quoted ? [{ kind: "text", text }] : readQuoted(text, statements);
    for (const command of of) command.texts.push(value);
  }
}
