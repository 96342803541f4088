import { callsOf } from "./code.ts";
import { parseShell } from "./parse.ts";
import { OPEN } from "../command-scripts.ts";
import { writtenBy, type Run } from "./output.ts";
import { bareWord, type Command, type Statement, type Word } from "./syntax.ts";
import { unwrap } from "./wrappers.ts";

/** What a script is run with. */
export interface Surroundings {
  readonly variables: ReadonlyMap<string, string>;
  readonly input: string;
}

const MAX_DEPTH = 8;
/** So that functions that call each other end. */
const MAX_STATEMENTS = 5000;

interface Scope {
  readonly variables: Map<string, string>;
  readonly functions: Map<string, readonly Statement[]>;
  /** Files that the script has written. */
  readonly files: Map<string, string>;
  readonly runs: Run[];
  /** How many statements were run. */
  readonly count: { statements: number };
}

/**
 * The programs that a command runs, in order, also those on other machines, in containers and in
 * scripts within. What is only known when it runs is the sign OPEN in their words. Undefined where
 * they are nested, or grow, beyond what can be followed.
 */
export function runsOf(
  words: readonly string[],
  { variables, input }: Surroundings,
): readonly Run[] | undefined {
  const scope: Scope = {
    variables: new Map(variables),
    functions: new Map(),
    files: new Map(),
    runs: [],
    count: { statements: 0 },
  };
  try {
    runWords(words, input, scope, 0);
    return scope.runs;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Runs statements; returns what the last of them writes. */
function runAll(statements: readonly Statement[], input: string, scope: Scope, depth: number): string {
  let output = "";
  let pipeline: symbol | undefined;
  for (const statement of statements) {
    if (++scope.count.statements > MAX_STATEMENTS || depth > MAX_DEPTH) return OPEN;
    if (statement.kind === "function") scope.functions.set(statement.name, statement.body);
    else {
      const piped = statement.pipeline === pipeline;
      const wrote = runCommand(statement, piped ? output : input, scope, depth);
      output = piped && onlyWrites(statement) ? output + wrote : wrote;
      pipeline = statement.pipeline;
    }
  }
  return output;
}

/** Whether a program only writes: what those of a group write comes together. */
const onlyWrites = ({ words }: Command): boolean => /^(?:echo|printf)$/.test(bareWord(words[0]) ?? "");

function runCommand(command: Command, given: string, scope: Scope, depth: number): string {
  for (const { name, value } of command.sets)
    scope.variables.set(name, expand(value, scope, depth).join(" "));
  const one = (word: Word): string => expand(word, scope, depth).join(" ");
  const texts = [...command.texts.map(one), ...command.reads.map((file) => fileOf(one(file), given, scope))];
  const input = texts.length > 0 ? texts.join("\n") : given;
  const words = command.words.flatMap((word) => expand(word, scope, depth)).filter((word) => word !== "");
  const output = words.length > 0 ? runWords(words, input, scope, depth) : input;
  for (const file of command.writesTo) {
    const name = one(file);
    scope.files.set(name, (scope.files.get(name) ?? "") + output);
  }
  return output;
}

/** What a file holds: the input, what the script has written there, or what nobody knows here. */
function fileOf(name: string, input: string, { files }: Scope): string {
  return /^(?:-|\/dev\/(?:stdin|fd\/0))$/.test(name) ? input : (files.get(name) ?? OPEN);
}

/** Variables that a declaration sets: `export A=b`. */
const DECLARES = /^(?:export|local|declare|readonly|typeset)$/;

function runWords(words: readonly string[], input: string, scope: Scope, depth: number): string {
  const [program = "", ...args] = words;
  const body = scope.functions.get(program);
  if (body) {
    for (let n = 1; n <= 9; n++) scope.variables.set(String(n), args[n - 1] ?? "");
    for (const all of ["@", "*"]) scope.variables.set(all, args.join(" "));
    return runAll(body, input, scope, depth + 1);
  }
  if (DECLARES.test(program)) {
    for (const arg of args) {
      const equals = arg.indexOf("=");
      if (equals > 0) scope.variables.set(arg.slice(0, equals), arg.slice(equals + 1));
    }
    return "";
  }
  const inner = unwrap(words, input, (file) => fileOf(file, input, scope));
  if (inner.kind === "script") return runAll(parseShell(inner.text), inner.input, scope, depth + 1);
  if (inner.kind === "words" && depth < MAX_DEPTH) return runWords(inner.words, input, scope, depth + 1);
  if (inner.kind === "code") {
    for (const call of callsOf(inner.text, inner.input))
      if (call.kind === "run") scope.runs.push(call.run);
      else runAll(parseShell(call.text), "", scope, depth + 1);
    return OPEN;
  }
  const given = args.map((word) => contentOf(word, input, scope));
  scope.runs.push({ words: [program.replace(/^.*\//s, ""), ...given], program, input });
  return writtenBy(words, input, (file) => fileOf(file, input, scope));
}

/** A file that stands for a value, `@plan.json`, with what the script has written there. */
function contentOf(word: string, input: string, scope: Scope): string {
  const [, at, file = ""] = /^(?:--?[\w-]+=|[\w-]+=|-d)?(@?)([^@].*)$/s.exec(word) ?? [];
  if (scope.files.has(file)) return `${word} ${scope.files.get(file)}`;
  return at === "@" ? `${word} ${fileOf(file, input, scope)}` : word;
}

/** The words that one word becomes. */
function expand(word: Word, scope: Scope, depth: number): string[] {
  const words = [""];
  for (const part of word) {
    if (part.kind === "text") {
      words.push(`${words.pop()}${part.text}`);
      continue;
    }
    const value = part.kind === "output" ? outputOf(part.script, scope, depth) : valueOf(part, scope, depth);
    if (!part.splits) words.push(`${words.pop()}${value}`);
    else {
      const [first = "", ...others] = value.trim().split(/\s+/);
      words.push(`${words.pop()}${first}`, ...others);
    }
  }
  return words;
}

function outputOf(script: readonly Statement[], scope: Scope, depth: number): string {
  return runAll(script, OPEN, scope, depth + 1).trimEnd();
}

function valueOf(
  part: { readonly name: string; readonly fallback: Word },
  scope: Scope,
  depth: number,
): string {
  const known = scope.variables.get(part.name);
  if (known !== undefined) return known;
  return part.fallback.length > 0 ? expand(part.fallback, scope, depth).join(" ") : OPEN;
}
