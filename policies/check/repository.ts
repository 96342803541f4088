import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
  type Dirent,
} from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import ignore, { type Ignore } from "ignore";

import { trackedIn } from "./tracked.ts";

/** More than any config file has; what is larger is data. */
const MAX_BYTES = 1_000_000;
/** Read even of a file that says that it is smaller. */
const MIN_BYTES = 65_536;
/** State exports hold a whole stack. */
export const MAX_STATE_BYTES = 64_000_000;

/**
 * The files that a run looks at. Paths in reports are told from the folder in which the command was
 * started, with forward slashes, as SARIF and editors take them.
 */
export class Repository {
  readonly #base: string;
  readonly #texts = new Map<string, string | undefined>();
  readonly #rules = new Map<string, Ignore | undefined>();
  readonly #tracked = new Map<string, ReadonlySet<string>>();
  readonly #roots = new Map<string, string | undefined>();

  /** What is there and may not be read, as it is reported. */
  readonly unreadable = new Set<string>();
  /** What is named within and is outside of the repository, as it is reported. */
  readonly outside = new Set<string>();

  readonly #within: readonly string[];

  /**
   * @param base the folder that paths are told from
   * @param named what the user names is read wherever it is, and what is in its repository
   */
  constructor(base: string, named: readonly string[] = []) {
    this.#base = base;
    const places = [base, ...named].map((path) => {
      const real = realOf(path) ?? path;
      return statSync(real, { throwIfNoEntry: false })?.isFile() === true ? dirname(real) : real;
    });
    this.#within = places.map((place) => this.rootOf(place) ?? place);
  }

  /** A file's path as it is reported. */
  shown(path: string): string {
    return relative(this.#base, path).split(sep).join("/") || ".";
  }

  /** The path of a file that is reported. */
  absolute(shown: string): string {
    return resolve(this.#base, shown);
  }

  /** A file's text; undefined where there is none, and for what is no text or too large. */
  read(path: string, limit = MAX_BYTES): string | undefined {
    if (!this.#texts.has(path))
      this.#texts.set(
        path,
        this.#attempt(path, () => this.#readWithin(path, limit)),
      );
    return this.#texts.get(path);
  }

  /** Files name others, and links lead anywhere: a stranger's are not to show ours in a report. */
  #readWithin(path: string, limit: number): string | undefined {
    const real = realOf(path);
    if (real === undefined) return undefined;
    if (this.#isWithin(real)) return readText(real, limit);
    this.outside.add(this.shown(path));
    return undefined;
  }

  #isWithin = (real: string): boolean =>
    this.#within.some((root) => real === root || real.startsWith(root.endsWith(sep) ? root : root + sep));

  /** What is in a folder, by name. */
  list(folder: string): Dirent[] {
    const look = (): Dirent[] => {
      const real = realOf(folder);
      if (real === undefined || this.#isWithin(real)) return readdirSync(folder, { withFileTypes: true });
      this.outside.add(this.shown(folder));
      return [];
    };
    const entries = this.#attempt(folder, look) ?? [];
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Runs a look at the disk; what may not be read is noted. */
  #attempt<Result>(path: string, look: () => Result): Result | undefined {
    try {
      return look();
    } catch {
      this.unreadable.add(this.shown(path));
      return undefined;
    }
  }

  /** Whether git leaves a file or folder out. Outside of a repository nothing is. */
  isIgnored(path: string, isFolder = false): boolean {
    const root = this.rootOf(dirname(path));
    if (root === undefined) return false;
    let ignored = false;
    // The rules of a folder further down take precedence.
    for (const folder of foldersBetween(root, dirname(path))) {
      const name = relative(folder, path).split(sep).join("/");
      const verdict = this.#rulesIn(folder, root)?.test(isFolder ? `${name}/` : name);
      if (verdict?.ignored) ignored = true;
      else if (verdict?.unignored) ignored = false;
    }
    return ignored && !this.#isTracked(path, root);
  }

  /** Rules are for what is not there yet: git keeps what was added, whatever they say. */
  #isTracked(path: string, root: string): boolean {
    const tracked = this.#tracked.get(root) ?? trackedIn(root);
    this.#tracked.set(root, tracked);
    return tracked.has(relative(root, path).split(sep).join("/"));
  }

  /** The root of the repository that a folder is in. */
  rootOf(folder: string): string | undefined {
    if (this.#roots.has(folder)) return this.#roots.get(folder);
    const parent = dirname(folder);
    const root = existsSync(join(folder, ".git"))
      ? folder
      : parent === folder
        ? undefined
        : this.rootOf(parent);
    this.#roots.set(folder, root);
    return root;
  }

  /**
   * Whether secrets may stand in an env file: git leaves it out, or there is no repository that it
   * could be in.
   */
  mayHoldSecrets(envFile: string): boolean {
    return this.rootOf(dirname(envFile)) === undefined || this.isIgnored(envFile);
  }

  #rulesIn(folder: string, root: string): Ignore | undefined {
    if (!this.#rules.has(folder)) {
      const files = [
        join(folder, ".gitignore"),
        ...(folder === root ? [join(root, ".git/info/exclude")] : []),
      ];
      const texts = files.flatMap((file) => this.read(file) ?? []);
      this.#rules.set(folder, texts.length > 0 ? ignore().add(texts.join("\n")) : undefined);
    }
    return this.#rules.get(folder);
  }
}

/** Where a path leads to; undefined where nothing is. */
function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** Files of /proc say that they are empty, and have no end: the limit holds while it is read. */
function readText(path: string, limit: number): string | undefined {
  // A pipe without a writer would keep the opening for ever.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size > limit) return undefined;
    const bytes = Buffer.alloc(Math.min(limit, Math.max(stats.size, MIN_BYTES)) + 1);
    let length = 0;
    for (let more = -1; more !== 0 && length < bytes.length; length += more)
      more = readSync(file, bytes, length, bytes.length - length, null);
    if (length === bytes.length) return undefined;
    const text = bytes.toString("utf8", 0, length);
    return text.includes("\0") ? undefined : text.replace(/^\uFEFF/, "");
  } finally {
    closeSync(file);
  }
}

function foldersBetween(root: string, folder: string): string[] {
  const parts = relative(root, folder).split(sep).filter(Boolean);
  return parts.reduce<string[]>((list, part) => [...list, join(list.at(-1) ?? root, part)], [root]);
}
