/**
 * What a policy's message says. The texts are those of policies/framework/policy.ts and
 * policies/framework/exceptions-policy.ts; others are kept whole.
 */
export type Message =
  | { readonly kind: "finding"; readonly finding: ParsedFinding }
  | {
      readonly kind: "excepted";
      readonly until?: string;
      readonly reason: string;
      readonly finding: ParsedFinding;
    }
  | {
      readonly kind: "not-judged";
      readonly gaps: readonly { readonly where: string; readonly because: string }[];
    }
  | { readonly kind: "note"; readonly text: string };

export interface ParsedFinding {
  /** Property path, as far as it can be told from the sentence; empty when it cannot. */
  readonly where: string;
  /** What is wrong there, as a sentence without its final dot. */
  readonly what: string;
  readonly why?: string;
  readonly lesson?: number;
  readonly url?: string;
  readonly instead?: string;
}

/** Written by the SDK when a policy has read a value that it cannot know yet. */
const CANNOT_RUN = /^can't run policy /;
const SOURCES = /^(?<why>.*) \((?:lesson (?<lesson>\d+), )?(?<url>https?:\/\/\S+)\)$/s;
/**
 * A path: its first word, a remark in brackets, and further words that have a dot or an index in
 * them.
 */
const WHERE = /^\S+(?: \([^)]*\))?(?: (?=[^\s(]*(?:\.[^\s.]|\[))[^\s(]\S*(?: \([^)]*\))?)*/;
const LOOKS_LIKE_PATH = /^[a-z_$][\w$-]*(?:[.[ ]|$)/i;

/** Takes a policy's message apart: what `describeFinding` and its like have put together. */
export function parseMessage(message: string, policy = ""): Message {
  const text = message.trim();
  const excepted = /^Excepted(?: until (?<until>[\d-]+))?: (?<reason>[^\n]*)\n?(?<rest>.*)$/s.exec(
    text,
  )?.groups;
  if (excepted) {
    const { until, reason = "", rest = "" } = excepted;
    return { kind: "excepted", ...(until !== undefined && { until }), reason, finding: parseFinding(rest) };
  }
  if (text.startsWith("Not judged:")) return { kind: "not-judged", gaps: parseGaps(text) };
  if (CANNOT_RUN.test(text)) return { kind: "not-judged", gaps: [{ where: "", because: oneLine(text) }] };
  // What stands and what is idle: told, so that nobody forgets it, and nothing to mend.
  if (policy === "policy-exceptions" && !text.includes("\n  instead: ")) return { kind: "note", text };
  return { kind: "finding", finding: parseFinding(text) };
}

function parseFinding(text: string): ParsedFinding {
  const parts = /^(?<head>.*?)(?:\n {2}why: (?<why>.*?))?(?:\n {2}instead: (?<instead>.*))?$/s.exec(
    text,
  )?.groups;
  const { head = text, why, instead } = parts ?? {};
  const sentence = head.replace(/\.$/, "");
  const path = LOOKS_LIKE_PATH.test(sentence) ? (WHERE.exec(sentence)?.[0] ?? "") : "";
  const where = why === undefined || path === sentence ? "" : path;
  const sources = why === undefined ? undefined : SOURCES.exec(why)?.groups;
  return {
    where,
    what: sentence.slice(where.length).trimStart(),
    ...(why !== undefined && { why: sources?.["why"] ?? why }),
    ...(sources?.["lesson"] !== undefined && { lesson: Number(sources["lesson"]) }),
    ...(sources?.["url"] !== undefined && { url: sources["url"] }),
    ...(instead !== undefined && { instead }),
  };
}

function parseGaps(text: string): { where: string; because: string }[] {
  return text
    .split("\n")
    .slice(1)
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, where = "", because = ""] = /^(.*?): (.*)$/.exec(line.trim()) ?? ["", "", line.trim()];
      return { where, because };
    });
}

const oneLine = (text: string) => text.replace(/\s*\n\s*/g, " ");
