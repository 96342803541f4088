/**
 * A small reader of POSIX shell, for the one question that a health test raises: which commands must have succeeded when the script ends
 * with 0? It knows quotes, &&, ||, ;, !, pipelines, groups, subshells, redirections, `exit`, `set -e`, and refuses (undefined) all else.
 */

/** One command of a script: its words with quotes taken off, and where its redirections lead. */
export interface Command {
  readonly words: readonly string[];
  readonly redirects: readonly string[];
}

/** A pipeline; its status is that of its last command. */
export type Pipeline = readonly Command[];

type Node =
  | { readonly kind: "pipeline"; readonly pipeline: Pipeline }
  | { readonly kind: "not" | "background"; readonly of: Node }
  | { readonly kind: "subshell"; readonly of: Node }
  | { readonly kind: "and" | "or" | "then"; readonly left: Node; readonly right: Node };

interface Token {
  readonly kind: "word" | "operator";
  readonly text: string;
}

export interface ShellOptions {
  /** Values of the variables that the script may use; a name that is missing stays as `$NAME` in the word. */
  readonly variables?: ReadonlyMap<string, string>;
  /** As with `sh -e`. */
  readonly errexit?: boolean;
}

class Unreadable extends Error {}

// &> and |& are read as one so that nothing makes sense of them: to a POSIX shell `cmd &>file` runs cmd in the background and succeeds.
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

function tokenize(script: string, options: ShellOptions): Token[] {
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

function parse(tokens: Token[]): Node | undefined {
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

/** One way through a script: what succeeded on it, whether it is at its end, and the errexit flag. */
interface Way {
  readonly ok: boolean;
  readonly ended: boolean;
  readonly errexit: boolean;
  readonly passed: readonly Pipeline[];
}

const MAX_WAYS = 4096;

function run(node: Node, way: Way, guarded: boolean): Way[] {
  const after = (ways: Way[], next: (way: Way) => Way[]): Way[] => {
    const all = ways.flatMap((w) => (w.ended ? [w] : next(w)));
    if (all.length > MAX_WAYS) throw new Unreadable("too many ways through it");
    return all;
  };
  const leave = (ways: Way[]): Way[] =>
    ways.map((w) => (!guarded && w.errexit && !w.ok ? { ...w, ended: true } : w));
  switch (node.kind) {
    case "pipeline": {
      const [name = "", argument] = node.pipeline.at(-1)?.words ?? [];
      const alone = node.pipeline.length === 1;
      if (alone && (name === "exit" || name === "return")) {
        if (argument !== undefined && !/^(?:\d+|\$\?)$/.test(argument)) throw new Unreadable("exit status");
        return [{ ...way, ok: /^\d/.test(argument ?? "") ? Number(argument) === 0 : way.ok, ended: true }];
      }
      if (alone && name === "set" && /^-[a-z]*e/.test(argument ?? ""))
        return [{ ...way, ok: true, errexit: true }];
      if (name === "true" || name === ":") return [{ ...way, ok: true }];
      if (name === "false") return leave([{ ...way, ok: false }]);
      return leave([
        { ...way, ok: true, passed: [...way.passed, node.pipeline] },
        { ...way, ok: false },
      ]);
    }
    case "not":
      return run(node.of, way, true).map((w) => (w.ended ? w : { ...w, ok: !w.ok }));
    case "background":
      return [{ ...way, ok: true }];
    case "subshell":
      return leave(run(node.of, way, guarded).map((w) => ({ ...w, ended: false, errexit: way.errexit })));
    case "and":
      // errexit spares what fails left of && or ||; on the right `run` sees to it.
      return after(run(node.left, way, true), (w) => (w.ok ? run(node.right, w, guarded) : [w]));
    case "or":
      return after(run(node.left, way, true), (w) => (w.ok ? [w] : run(node.right, w, guarded)));
    case "then":
      return after(run(node.left, way, guarded), (w) => run(node.right, w, guarded));
  }
}

/**
 * The ways on which a script ends with status 0, each as the list of pipelines that succeeded on it. What stands on every one of them is
 * required by the script. Undefined when the script uses a part of the shell that is not read here.
 *
 * @example waysToSucceed("a && b") // [[a, b]]; waysToSucceed("a || b") // [[a], [b]]
 */
export function waysToSucceed(script: string, options: ShellOptions = {}): Pipeline[][] | undefined {
  try {
    const node = parse(tokenize(script, options));
    if (!node) return [[]];
    const start: Way = { ok: true, ended: false, errexit: options.errexit ?? false, passed: [] };
    return run(node, start, false)
      .filter((way) => way.ok)
      .map((way) => [...way.passed]);
  } catch (error) {
    // RangeError: nested too deep for the call stack.
    if (error instanceof Unreadable || error instanceof RangeError) return undefined;
    throw error;
  }
}
