/** The commands of a shell script, as far as it takes to see what is sent where. */
export interface ShellCommand {
  /** Words with their quotes taken off; those of a whole pipeline. */
  readonly words: readonly string[];
  /** Here-documents that are given to it. */
  readonly documents: readonly string[];
}

/**
 * Blanks or a comment, `<<'EOF'`, `|`, what ends a command, a redirection, a word; or else one
 * character.
 */
const ITEM =
  /((?:[ \t]|\\\r?\n)+|#[^\n]*)|<<-?[ \t]*(['"]?)([\w.-]+)\2|(\|(?!\|)&?)|(\r?\n|;|&&?|\|\||[()])|[<>]+|((?:'[^']*'|"(?:[^"\\]|\\[^])*"|\\[^]|[^\s'"\\;&|()<>]|\$\((?:[^()]|\([^()]*\))*\))+)|(.)/y;
const MAX_ITEMS = 5_000;

const withoutQuotes = (word: string): string =>
  word.replace(
    /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])/g,
    (_, single?: string, double?: string, escaped = "") =>
      single ??
      double?.replace(/\\(["\\$`])/g, "$1").replace(/\\\n/g, "") ??
      (escaped === "\n" ? "" : escaped),
  );

/** Takes a script apart. What is no shell gives words and commands too, only of no use. */
export function shellCommandsIn(text: string): ShellCommand[] {
  const commands: { words: string[]; documents: string[] }[] = [];
  let current: { words: string[]; documents: string[] } = { words: [], documents: [] };
  let waiting: { readonly mark: string; readonly command: { documents: string[] } }[] = [];
  const end = (): void => {
    if (current.words.length > 0) commands.push(current);
    current = { words: [], documents: [] };
  };
  ITEM.lastIndex = 0;
  for (let items = 0; ITEM.lastIndex < text.length && items < MAX_ITEMS; items++) {
    const [, blank, , mark, pipe, separator, word] = ITEM.exec(text) ?? [];
    if (blank !== undefined || pipe !== undefined) continue;
    if (mark !== undefined) waiting.push({ mark, command: current });
    else if (word !== undefined) current.words.push(withoutQuotes(word));
    else if (separator !== undefined) {
      end();
      if (!separator.endsWith("\n")) continue;
      for (const document of waiting) {
        const rest = text.slice(ITEM.lastIndex);
        const close = rest.split("\n").findIndex((line) => line.trim() === document.mark);
        const lines = rest.split("\n").slice(0, close < 0 ? undefined : close);
        document.command.documents.push(lines.join("\n"));
        ITEM.lastIndex += lines.join("\n").length + (close < 0 ? 0 : document.mark.length + 1);
      }
      waiting = [];
    }
  }
  end();
  return commands;
}
