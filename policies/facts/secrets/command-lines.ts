import { isLiteralSecret, isMasked, isSecretName, withoutReferences } from "./literals.ts";
import { PROGRAMS, type Program } from "./programs.ts";

/** A password that stands in a command line, and the word that holds it. */
export interface PasswordFound {
  /** `requirepass`, or `a password to mysqladmin (-p)`. */
  readonly name: string;
  readonly index: number;
}

/** A word of a list; undefined for one that is a secret of the stack, or unknown. */
export type Word = string | undefined;

const LONG_OPTION = /^--?([A-Za-z][\w.-]{0,80})$/;
const baseName = (word: string): string => word.slice(word.lastIndexOf("/") + 1);

/** Whether a word is a password: no reference, nothing that the shell fills in, and no path. */
const isPassword = (text: string): boolean =>
  !/^(?:\$(?!\{)|`)/.test(text) && isLiteralSecret(text) && !isMasked(text);
/** Of other programs in the line `-p` is the port. */
const isPort = (text: string): boolean => /^\d{1,5}$/.test(text);

/** The value of an option that takes a secret: in the same word, or the next one. */
function valueOf({ options, bundles }: Program, words: readonly Word[], index: number) {
  const word = words[index] ?? "";
  for (const option of options) {
    const { flag, value } = option;
    const isFlag = word === flag || (bundles && /^-[A-Za-z]+$/.test(word) && word.endsWith(flag.slice(1)));
    if (isFlag && value !== "attached") {
      const next = words[index + 1] ?? "-";
      return next.startsWith("-") ? undefined : { ...option, text: next, at: index + 1 };
    }
    if (value !== "next" && !isFlag && word.startsWith(flag))
      return { ...option, text: word.slice(flag.length).replace(/^=/, ""), at: index };
  }
  return undefined;
}

/** `docker build --secret id=npm`, `podman run --secret db`: a secret's name, and no secret. */
const ENGINE = /^(?:docker|podman|nerdctl|buildah)$/;

/** `--requirepass opensesame`, whoever takes it. */
function longOption(words: readonly Word[], index: number, program: string): PasswordFound | undefined {
  const [, name = ""] = LONG_OPTION.exec(words[index] ?? "") ?? [];
  const value = words[index + 1] ?? "-";
  if (!isSecretName(name) || value.startsWith("-")) return undefined;
  if (name === "secret" && ENGINE.test(program)) return undefined;
  return isPassword(value) ? { name, index: index + 1 } : undefined;
}

/**
 * The passwords in one command, word by word.
 *
 * @param program the program that the words are arguments of, where they do not name it
 * @example passwordsIn(["mysqladmin", "-popensesame", "ping"])
 * // [{ name: "a password to mysqladmin (-p)", index: 1 }]
 */
export function passwordsIn(words: readonly Word[], program = ""): PasswordFound[] {
  const found: PasswordFound[] = [];
  let [name, now] = [program, PROGRAMS.get(program)] as [string, Program | undefined];
  let open = now?.after === undefined;
  words.forEach((word = "", index) => {
    const long = longOption(words, index, name);
    if (long) found.push(long);
    if (!word.startsWith("-")) {
      const next = (words[index - 1] ?? "").startsWith("-") ? undefined : PROGRAMS.get(baseName(word));
      if (next) [name, now, open] = [baseName(word), next, next.after === undefined];
      // Not as an option's value: `docker run --name login -p 80:80`.
      else if (word === now?.after && !/^--(?:host)?name$/.test(words[index - 1] ?? "")) open = true;
      else if (now?.runs) now = undefined;
      return;
    }
    const value = now && open ? valueOf(now, words, index) : undefined;
    const secret = value?.secretOf(withoutReferences(value.text));
    if (!value || secret === undefined || isPort(secret) || !isPassword(secret)) return;
    const { flag, text, at, isHeader } = value;
    const what = isHeader ? text.slice(0, text.indexOf(":")) : `a password to ${name} (${flag})`;
    found.push({ name: what, index: at });
  });
  return found;
}

const PIECE = /[\n;|&()]|"[^"\n]*"|'[^'\n]*'|\\\r?\n|\\.|[^\s;|&()"'\\]+|["'\\]|[^\S\n]+/g;

/** The commands of a text of a shell, or of lists of words in JSON's or YAML's brackets. */
function commandsIn(text: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    if (words.length > 1) commands.push(words);
    words = [];
  };
  // A list's quotes and commas are no part of its words.
  const plain = text.replace(/(["']),[ \t]{0,9}(?=["'])/g, "$1 ").replace(/\[(?=["'])|(["'])\]/g, "$1 ");
  for (const [piece] of plain.matchAll(PIECE)) {
    if (/^[\n;|&()]$/.test(piece)) endCommand();
    else if (/^(?:\s|\\\r?\n)/.test(piece)) endWord();
    else word = (word ?? "") + piece.replace(/^(["'])(.*)\1$/s, "$2").replace(/^\\(.)$/, "$1");
  }
  endCommand();
  return commands;
}

/** Names of what the commands of a text are given as passwords, also those in `sh -c "…"`. */
export function passwordsInText(text: string, depth = 0): string[] {
  return commandsIn(text).flatMap((words) => [
    ...passwordsIn(words).map(({ name }) => name),
    ...words
      .filter((word) => depth < 2 && /\s/.test(word))
      .flatMap((word) => passwordsInText(word, depth + 1)),
  ]);
}
