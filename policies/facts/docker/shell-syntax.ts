/** The shape of a POSIX shell script: its words and operators, and how they hang together. */

/** One command of a script: its words with quotes taken off, and where its redirections lead. */
export interface Command {
  readonly words: readonly string[];
  readonly redirects: readonly string[];
}

/** A pipeline; its status is that of its last command. */
export type Pipeline = readonly Command[];

export type Node =
  | { readonly kind: "pipeline"; readonly pipeline: Pipeline }
  | { readonly kind: "not" | "background"; readonly of: Node }
  | { readonly kind: "subshell"; readonly of: Node }
  | { readonly kind: "and" | "or" | "then"; readonly left: Node; readonly right: Node };

export interface Token {
  readonly kind: "word" | "operator";
  readonly text: string;
}

export interface ShellOptions {
  /**
   * Values of the variables that the script may use; a name that is missing stays as `$NAME` in the
   * word.
   */
  readonly variables?: ReadonlyMap<string, string>;
  /** As with `sh -e`. */
  readonly errexit?: boolean;
}

export class Unreadable extends Error {}

// &> and |& are read as one so that nothing makes sense of them: to a POSIX shell `cmd &>file` runs
// cmd in the background and succeeds.
const OPERATOR = /^(?:&&|\|\||;;|\|&|&>|\d*(?:<<<|<<-?|>>|>&|<&|<>|>\||<|>)|[;&|()\n])/;
const KEYWORDS = new Set([
  "if",
  "then",
  "elif",
  "else",
  "fi",
  "for",
  "while",
  "until",
  "do",
  "done",
  "case",
  "esac",
  "in",
  "function",
  "[[",
  "select",
  "}",
]);

function expand(text: string, variables: ReadonlyMap<string, string> | undefined): string {
  return text.replace(
    /\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))/g,
    (whole, braced: string | undefined, fallback: string | undefined, plain: string | undefined) => {
      return variables?.get(braced ?? plain ?? "") ?? fallback ?? whole;
    },
  );
}

export function tokenize(script: string, options: ShellOptions): Token[] {
  const tokens: Token[] = [];
  let rest = script;
  while (rest !== "") {
    const blank = /^(?:[ \t\r]+|\\\n|#[^\n]*)/.exec(rest)?.[0];
    const operator = OPERATOR.exec(rest)?.[0];
    if (blank !== undefined) rest = rest.slice(blank.length);
    else if (operator !== undefined) {
      tokens.push({ kind: "operator", text: operator });
      rest = rest.slice(operator.length);
    } else {
      let word = "";
      for (let piece = ""; rest !== "" && !/^[ \t\r\n;&|()<>]/.test(rest); rest = rest.slice(piece.length)) {
        const quoted =
          /^(?:'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|(\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`)|((?:\$\{[^}]*\}|[^ \t\r\n;&|()<>'"\\`$]|\$(?![({]))+))/.exec(
            rest,
          );
        if (!quoted) throw new Unreadable("unbalanced quotes");
        const [whole, single, double, escaped, substitution, bare] = quoted;
        piece = whole;
        if (double !== undefined) word += expand(double.replace(/\\(["\\$`\n])/g, "$1"), options.variables);
        else if (bare !== undefined) word += expand(bare, options.variables);
        else word += single ?? (escaped === "\n" ? "" : escaped) ?? substitution ?? "";
      }
      tokens.push({ kind: "word", text: word });
    }
  }
  return tokens;
}

export function parse(tokens: Token[]): Node | undefined {
  let at = 0;
  const operator = (...texts: string[]): string | undefined => {
    const token = tokens[at];
    if (token?.kind !== "operator" || !texts.includes(token.text)) return undefined;
    at++;
    return token.text;
  };
  const word = (text: string): boolean =>
    tokens[at]?.kind === "word" && tokens[at]?.text === text && ++at > 0;

  const command = (): Node | Command => {
    if (operator("(")) {
      const of = list();
      if (!of || !operator(")")) throw new Unreadable("subshell");
      return { kind: "subshell", of };
    }
    if (word("{")) {
      const of = list();
      if (!of || !word("}")) throw new Unreadable("group");
      return of;
    }
    const words: string[] = [];
    const redirects: string[] = [];
    for (let token = tokens[at]; token !== undefined; token = tokens[at]) {
      if (token.kind === "word") {
        if (words.length === 0 && KEYWORDS.has(token.text)) throw new Unreadable(token.text);
        words.push(token.text);
        at++;
      } else if (/^\d*[<>]/.test(token.text)) {
        const target = tokens[at + 1];
        if (target?.kind !== "word" || token.text.includes("<<")) throw new Unreadable("redirection");
        redirects.push(target.text);
        at += 2;
      } else break;
    }
    if (words.length === 0 && redirects.length === 0) throw new Unreadable("empty command");
    return { words, redirects };
  };
  const pipeline = (): Node => {
    if (word("!")) return { kind: "not", of: pipeline() };
    const first = command();
    const commands: Command[] = [];
    let node: Node | undefined = "kind" in first ? first : undefined;
    if (!("kind" in first)) commands.push(first);
    while (operator("|")) {
      operator("\n");
      const next = command();
      if ("kind" in next || node) throw new Unreadable("group in a pipeline");
      commands.push(next);
      node = undefined;
    }
    return node ?? { kind: "pipeline", pipeline: commands };
  };
  const andOr = (): Node => {
    let left = pipeline();
    for (let op = operator("&&", "||"); op; op = operator("&&", "||")) {
      while (operator("\n"));
      left = { kind: op === "&&" ? "and" : "or", left, right: pipeline() };
    }
    return left;
  };
  const list = (): Node | undefined => {
    let all: Node | undefined;
    for (;;) {
      while (operator("\n"));
      const token = tokens[at];
      if (
        token === undefined ||
        (token.kind === "operator" && token.text === ")") ||
        (token.kind === "word" && token.text === "}")
      )
        return all;
      let next = andOr();
      if (operator("&")) next = { kind: "background", of: next };
      else if (tokens[at] !== undefined) operator(";", "\n");
      all = all ? { kind: "then", left: all, right: next } : next;
    }
  };
  const all = list();
  if (at < tokens.length) throw new Unreadable("syntax");
  return all;
}
