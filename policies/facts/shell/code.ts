/** What code of other languages does, as far as its texts show it: it is not interpreted. */
import { OPEN } from "../command-scripts.ts";
import type { Run } from "./output.ts";

export type Call =
  { readonly kind: "run"; readonly run: Run } | { readonly kind: "shell"; readonly text: string };

/** A request that changes something, as Python, JavaScript, Ruby and Perl write it. */
const WRITES = /\b(?:POST|PUT|PATCH|DELETE)\b|\.(?:post|put|patch|delete)\s*\(|\bdata\s*=/i;
/** A path of an HTTP API, or a command line: what a text has to begin with to be followed. */
const FOLLOWED =
  /(?<path>\/(?:api|jmap|containers)\b[^\s"'`,)]*)|["'`](?<line>(?:sudo |ssh |exec )?(?:docker|podman|nerdctl|kubectl|systemctl|service|rc-service|stalwart-cli|curl|ssh)\b[^"'`]*)["'`]/g;
/** What is only known when the code runs. */
const ELSEWHERE = /\b(?:stdin|environ|env|argv|open|readFile(?:Sync)?|getenv)\b/;

/** The requests and the command lines in a program, in the order in which they are written. */
export function callsOf(code: string, input: string): Call[] {
  // A command line as a list of words becomes one text.
  const text = code.replace(/(["'])\s*,\s*(["'])/g, " ");
  const body = `${code} ${input}${ELSEWHERE.test(code) || code.includes(OPEN) ? OPEN : ""}`;
  const method = WRITES.test(code) ? "POST" : "GET";
  return [...text.matchAll(FOLLOWED)].map(({ groups }): Call => {
    if (groups?.["line"] !== undefined) return { kind: "shell", text: groups["line"] };
    const words = ["curl", "-X", method, groups?.["path"] ?? "", "--data", body];
    return { kind: "run", run: { words, program: "curl", input: "" } };
  });
}
