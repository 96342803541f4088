import { rulesOf, type Destination, type PolicyDocument, type Rule } from "./access-rules.ts";
import { both, either, isPeople, matches, maybe, NO, YES, type Answer, type Party } from "./selectors.ts";

export { sameHost, type Answer, type Party } from "./selectors.ts";

export interface Question {
  /** Tags of the node, a selector, a host, or a {@link Party}. */
  readonly src: Party | readonly string[] | string;
  readonly dst: Party | readonly string[] | string;
  /** @default "tcp" */
  readonly protocol?: string;
  /** Left out: any port. */
  readonly port?: number;
}

function partyOf(end: Party | readonly string[] | string): Party {
  if (Array.isArray(end)) return { tags: end as readonly string[] };
  if (typeof end !== "string") return end as Party;
  if (end.startsWith("tag:")) return { tags: [end] };
  return isPeople(end) ? { people: end } : { host: end };
}

/** Whether a destination of a rule has a port open. Left out: any port. */
export function isOpen(
  { openings, unreadable }: Destination,
  protocol: string,
  port: number | undefined,
): Answer {
  const open = openings.some(
    (one) =>
      (one.protocol === "*" ||
        (one.protocol ?? "tcp") === protocol ||
        (one.protocol === undefined && protocol === "udp")) &&
      (port === undefined || (one.from <= port && port <= one.to)),
  );
  if (open) return YES;
  return unreadable ? maybe("its ports cannot be read") : NO;
}

const named = (rule: Rule, answer: Answer): Answer =>
  answer.answer === "no"
    ? NO
    : {
        ...answer,
        rule: rule.where,
        ...(answer.because !== undefined && { because: `${rule.where} may open it: ${answer.because}` }),
      };

function opens(
  rule: Rule,
  dst: Party,
  { protocol = "tcp", port }: Question,
  document: PolicyDocument,
): Answer {
  const reached = rule.destinations.map((destination) =>
    both(isOpen(destination, protocol, port), matches(destination.selector, dst, document)),
  );
  return both(either(reached), rule.condition === undefined ? YES : maybe(rule.condition));
}

/**
 * Whether the tailnet policy file lets a source open connections to a destination. Grants only add
 * up: there is no deny.
 *
 * @param document the parsed policy file
 * @example
 * reaches(document, { src: ["tag:stalwart"], dst: { host: "mailbox.tail7b1641.ts.net" }, port: 587
 *   })
 *   // { answer: "maybe", rule: "grants[2]", because: "grants[2] may open it: whether …" }
 * @see https://tailscale.com/docs/reference/syntax/grants
 */
export function reaches(document: PolicyDocument, question: Question): Answer {
  const src = partyOf(question.src);
  const dst = partyOf(question.dst);
  return either(
    rulesOf(document).map((rule) => {
      const from = either(rule.src.map((selector) => matches(selector, src, document)));
      return named(rule, both(from, opens(rule, dst, question, document)));
    }),
  );
}

/** A source that some rule lets in. */
export interface Source {
  /** As the rule writes it: a tag, `*`, a group, … */
  readonly src: string;
  readonly answer: "yes" | "maybe";
  readonly rule: string;
  readonly because?: string;
}

/** Every source that some rule lets reach a port of a node: with certainty, or perhaps. */
export function whoReaches(
  document: PolicyDocument,
  dst: Party | readonly string[] | string,
  port: number,
  protocol = "tcp",
): Source[] {
  return rulesOf(document).flatMap((rule) => {
    const { answer, because } = named(
      rule,
      opens(rule, partyOf(dst), { src: "*", dst, protocol, port }, document),
    );
    if (answer === "no") return [];
    return rule.src.map((src) => ({
      src,
      answer,
      rule: rule.where,
      ...(because !== undefined && { because }),
    }));
  });
}
