import ts from "typescript";

import { UserError } from "../../lib/errors.ts";

/** A change of one place of the source. */
export interface Edit {
  /** From the project's root. */
  readonly file: string;
  /** What stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A lesson's guard, or one of its guards, taken out of the code. */
export interface Cut {
  readonly lesson: number;
  /** What is cut out. @example "the edge's address on the allow-list" */
  readonly what: string;
  readonly edits: readonly Edit[];
  /** Tests that look at it and do not stand beside the file. */
  readonly tests?: readonly string[];
  /** Whether a lab is played without it, together with the lesson's others. @default true */
  readonly lab?: false;
  /** What a lab's deploy fails with, where the outage itself does not let it end. */
  readonly says?: RegExp;
}

/** Files of a cut → what they say without the guard. */
export type Without = ReadonlyMap<string, string>;

/**
 * Takes guards out of the sources.
 *
 * @param read the source as it is
 * @throws UserError where an edit's text is not there exactly once: the guard has been moved or
 *   changed, and its cut must follow
 */
export function withoutGuard(edits: readonly Edit[], read: (file: string) => string): Without {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = texts.get(file) ?? read(file);
    const times = text.split(find).length - 1;
    if (times !== 1)
      throw new UserError(`a cut's text is in ${file} ${times} times, and must be there once: ${find}`, {
        path: "test/guards/cuts.ts",
        hint: "write there what the guard's line says now",
      });
    texts.set(
      file,
      text.replace(find, () => replace),
    );
  }
  return texts;
}

/** What TypeScript says of a text that is no TypeScript; undefined where it is, or no source. */
export function syntaxErrorIn(file: string, text: string): string | undefined {
  if (!file.endsWith(".ts")) return undefined;
  const { diagnostics = [] } = ts.transpileModule(text, { fileName: file, reportDiagnostics: true });
  return diagnostics.map(wordsOf).at(0);
}

/** Nobody uses what only the guard has used. */
const UNUSED = new Set([6133, 6192, 6196, 6198]);

/**
 * Looks at the types of the files that a cut has changed, as they are in a tree. Each look builds
 * on what the last one knew.
 *
 * @returns asks for what TypeScript says; undefined where nothing is wrong
 */
export function typesOf(root: string): (files: Iterable<string>) => string | undefined {
  const at = `${root}/tsconfig.json`;
  const { config } = ts.readConfigFile(at, (file) => ts.sys.readFile(file)) as { config: unknown };
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const parsed = new Map<string, ts.SourceFile>();
  const parse = host.getSourceFile.bind(host);
  host.getSourceFile = (file, ...rest) => {
    const text = ts.sys.readFile(file);
    const known = parsed.get(file);
    if (known && known.text === text) return known;
    const source = parse(file, ...rest);
    if (source) parsed.set(file, source);
    return source;
  };
  let last: ts.Program | undefined;
  return (files) => {
    const program = ts.createProgram(fileNames, options, host, last);
    last = program;
    for (const file of files) {
      const source = program.getSourceFile(`${root}/${file}`);
      if (!source) continue;
      const wrong = program.getSemanticDiagnostics(source).find(({ code }) => !UNUSED.has(code));
      if (wrong) return `${file}: ${wordsOf(wrong)}`;
    }
    return undefined;
  };
}

const wordsOf = ({ messageText }: ts.Diagnostic): string =>
  ts.flattenDiagnosticMessageText(messageText, " ").replace(/\s+/g, " ");
