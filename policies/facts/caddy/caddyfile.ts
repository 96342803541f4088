import { isAddress, addressesIn, isPlainlyAddress } from "./caddyfile-addresses.ts";
import { blocksOf, placeOf, type Block } from "./caddyfile-blocks.ts";
import { importSnippets, snippetsOf } from "./caddyfile-imports.ts";
import { Adapter } from "./caddyfile-sites.ts";
import { readCaddyJson } from "./json.ts";
import type { CaddyConfig } from "./model.ts";
import { becauseOf } from "./placeholders.ts";

/** Options that only a Caddyfile begins with, where nothing else says that a text is one. */
const OPTIONS = /^(?:layer4|servers|admin|email|acme_\w+|auto_https|https?_port|default_bind|order|storage)$/;
const VARIABLE = /^\{\$[^{}]*\}$/;

/** Without braces the whole file is one site: its addresses, then its directives. */
function bracedSites(blocks: readonly Block[]): Block[] {
  const [first, ...rest] = blocks;
  if (first === undefined || first.body || first.words[0] === "import") return [...blocks];
  // A variable may as well stand for lines, in front of the sites.
  if (isVariable(first) && rest.some(({ words, body }) => body && words.every(isPlainlyAddress)))
    return [...blocks];
  return [{ line: first.line, words: first.words, body: rest }];
}

const isVariable = ({ words, body }: Block): boolean =>
  !body && words.length === 1 && VARIABLE.test(words[0] ?? "");
const isNamedRoute = ({ words }: Block): boolean => words[0]?.startsWith("&(") === true;

/** Lines that are a variable whose value is not known, in any block. */
const variablesIn = (blocks: readonly Block[]): Block[] =>
  blocks.flatMap((block) => (isVariable(block) ? [block] : variablesIn(block.body ?? [])));

/** Why a top-level block is no site; undefined for one. */
function oddityOf({ words, body }: Block): string | undefined {
  const [first = ""] = words;
  if (first.startsWith("@")) return `${first} is a matcher, which has to stand in a site`;
  if (words.length === 0) return "is a second block of global options";
  const odd = addressesIn(words).find((word) => !isAddress(word));
  if (odd !== undefined) return "has something in place of a site's address that is none";
  return body ? undefined : "is no site, since no block follows";
}

/** Whether sites look like ones where nothing else says that a text is a Caddyfile. */
function isLikely(options: readonly Block[], sites: readonly Block[]): boolean {
  const plain = sites.filter(({ words }) => addressesIn(words).every(isPlainlyAddress));
  const others = sites.filter((site) => !plain.includes(site));
  const known = options.some(({ words }) => OPTIONS.test(words[0] ?? ""));
  // Braces and single words are in many formats, but lines without a semicolon in few of them.
  const hasStatements = others.some(({ body = [] }) => body.some(({ words }) => words.at(-1)?.endsWith(";")));
  return (plain.length > 0 || known) && !hasStatements && others.every((site) => !oddityOf(site));
}

/**
 * Reads a Caddyfile; undefined when the text is none. What is odd in one that is named so is a gap.
 *
 * @param isNamed says that the text has to be one
 */
export function readCaddyfile(text: string, base: string, isNamed = false): CaddyConfig | undefined {
  const blocks = blocksOf(text);
  return blocks && blocks.length > 0 ? readBlocks(blocks, base, isNamed) : undefined;
}

/** {@link readCaddyfile} of what has been taken apart. */
export function readBlocks(
  blocks: readonly Block[],
  base: string,
  isNamed: boolean,
): CaddyConfig | undefined {
  const unread = new Map<string, string>();
  const missing = (block: Block): void =>
    void unread.set(placeOf(block), "imports a file, which is not read");
  const snippets = snippetsOf(blocks);
  const parts = blocks.filter((block) => !snippets.has(block));
  const [first] = parts;
  const bodies = new Map([...snippets].map(([{ body = [] }, name]) => [name, body]));
  const options = first?.words.length === 0 ? importSnippets(first.body ?? [], bodies, missing) : [];
  const rest = first?.words.length === 0 ? parts.slice(1) : parts;
  const all = bracedSites(importSnippets(rest, bodies, missing)).filter((block) => !isNamedRoute(block));
  for (const block of variablesIn([...options, ...all]))
    unread.set(placeOf(block), becauseOf(block.words[0] ?? ""));
  const candidates = all.filter((block) => !isVariable(block));
  const sites = candidates.filter((block) => oddityOf(block) === undefined);
  if (!isNamed && !isLikely(options, candidates)) return undefined;
  const holdsNone = sites.length === 0 && unread.size === 0 && parts.length > 0 && first?.words.length !== 0;
  if (isNamed && holdsNone) return undefined;
  for (const block of candidates) {
    const oddity = oddityOf(block);
    if (oddity !== undefined) unread.set(placeOf(block), oddity);
  }
  const adapter = new Adapter(options);
  adapter.sites(sites);
  adapter.serverOptions();
  const gaps = [...unread].map(([place, because]) => ({ where: `${base} ${place}`.trim(), because }));
  return readCaddyJson(adapter.config(), base, adapter.places, gaps);
}
