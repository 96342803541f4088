import type { PolicyResource } from "../../framework/policy.ts";
import { readString, type Leaf, type Path } from "../../framework/values.ts";
import { passwordsIn, type Word } from "./command-lines.ts";

/** A password in a list of a command's words: what takes it, and the place of the word. */
export interface PasswordAt {
  readonly name: string;
  readonly path: Path;
}

/** Where Docker's resources and commands have one word an item. */
const LIST = /^(?:command|commands|args|entrypoints|tests|interpreter)$/;
/** What runs first, so that its name stands before the words of the others. */
const FIRST = /^(?:entrypoints|commands)$/;

/** The program that an image runs by itself, when all that it is given are options. */
function programOf({ props }: PolicyResource, words: readonly Word[]): string | undefined {
  if (!words[0]?.startsWith("-")) return undefined;
  return /([^/:@]+)(?:[:@][^/]*)?$/.exec(readString(props, ["image"]).value ?? "")?.[1];
}

/**
 * The passwords in a resource's lists of words, such as `["mysqladmin", "-popensesame"]`: an
 * option and its value are two items, and the program is named in a third.
 *
 * @param leaves the texts that are to be judged; an item without one is a secret of the stack
 */
export function passwordsInLists(resource: PolicyResource, leaves: readonly Leaf[]): PasswordAt[] {
  const lists = new Map<string, Leaf[]>();
  for (const leaf of leaves) {
    const { path } = leaf;
    if (typeof path.at(-1) !== "number" || !LIST.test(String(path.at(-2)))) continue;
    // An entrypoint and the command behind it stand side by side, and are one line.
    const line = path.slice(0, -2).join();
    lists.set(line, [...(lists.get(line) ?? []), leaf]);
  }
  return [...lists.values()].flatMap((list) => {
    const { words, paths } = inOrder(list);
    return passwordsIn(words, programOf(resource, words)).flatMap(({ name, index }) => {
      const path = paths[index];
      return path ? [{ name, path }] : [];
    });
  });
}

/** The words in the order in which they run, with a gap for each that is not to be judged. */
function inOrder(list: readonly Leaf[]): { words: Word[]; paths: (Path | undefined)[] } {
  const isFirst = ({ path }: Leaf): boolean => FIRST.test(String(path.at(-2)));
  const words: Word[] = [];
  const paths: (Path | undefined)[] = [];
  for (const part of [list.filter(isFirst), list.filter((leaf) => !isFirst(leaf))]) {
    const start = words.length;
    for (const { path, value } of part) {
      const at = start + Number(path.at(-1));
      words[at] = String(value);
      paths[at] = path;
    }
  }
  return { words: Array.from(words), paths };
}
