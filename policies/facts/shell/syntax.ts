/** A piece of a word: text as it is, a variable, or what commands write. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string; readonly fallback: Word; readonly splits: boolean }
  | { readonly kind: "output"; readonly script: readonly Statement[]; readonly splits: boolean };

export type Word = readonly Part[];

export interface Command {
  readonly kind: "command";
  readonly words: Word[];
  /** Variables that it sets, by assignment or as a loop does. */
  readonly sets: { readonly name: string; readonly value: Word }[];
  /** The texts of its heredocs and here-strings. */
  readonly texts: Word[];
  readonly reads: Word[];
  readonly writesTo: Word[];
  /** Commands of one pipeline have the same mark. */
  pipeline: symbol;
}

/** The body of a function runs where it is called. */
export interface ShellFunction {
  readonly kind: "function";
  readonly name: string;
  readonly body: readonly Statement[];
}

export type Statement = Command | ShellFunction;

/** The word where it is one bare text, as keywords are; undefined for any other. */
export function bareWord(word: Word | undefined): string | undefined {
  const [part] = word ?? [];
  return word?.length === 1 && part?.kind === "text" ? part.text : undefined;
}
