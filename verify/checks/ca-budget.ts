// What the CA still gives out for the stack's names: certificates are rationed (lesson 7).
import { type CaLimit, type CaLimits, limitsOf } from "../../lib/acme-cas.ts";
import { nearest } from "../../lib/domain-names.ts";
import { wordsOf } from "../../lib/errors.ts";
import { type Check, fail, type Finding, lesson, ok, skip, warn, worst } from "../check.ts";
import type { DoctorScene, Issued } from "../doctor/target.ts";

/** Domains that are looked up: each is a question or two of the ten an hour. */
const MOST_DOMAINS = 3;

/** Counts what is in the logs of Certificate Transparency, as a service of them tells it. */
export const caBudget: Check<DoctorScene> = {
  id: "ca-budget",
  from: "operator",
  needs: [],
  lesson: lesson(7),
  async look(scene) {
    const { acme = [], domains } = scene.target.settings;
    const known = acme.flatMap((client) => {
      const limits = limitsOf(client.directory);
      return limits ? [{ ...client, limits }] : [];
    });
    const [first] = known;
    if (first === undefined)
      return skip("no ACME client of the stack's has a CA whose limits are known: Let's Encrypt's are");
    const ours = new Set(known.flatMap(({ names }) => names));
    const all = new Set(domains.map(({ name }) => name));
    const bare = [...ours].map((name) => name.replace(/^\*\./, ""));
    const asked = [...new Set(bare.map((name) => nearest(name, all) ?? name))];
    const looked = asked.slice(0, MOST_DOMAINS);
    const found = worst(
      await Promise.all(
        looked.map(async (domain) => {
          try {
            return judgeBudget(domain, await scene.issued(domain), first.limits, ours, new Date());
          } catch (error) {
            // Mail does not hang on a third party that is silent: no alarm.
            return warn(`what was issued for ${domain} is not known: ${wordsOf(error)}`);
          }
        }),
      ),
    );
    const more =
      asked.length > looked.length ? `; of ${asked.length} domains ${looked.length} were looked up` : "";
    return found ? { ...found, seen: found.seen + more } : skip("no ACME client of the stack's has a name");
  },
};

/** What is left of a budget. */
interface Left {
  tokens: number;
  /** When there is one again, or one more. */
  next: Date;
}

/**
 * A token bucket as Let's Encrypt has it: full at first, and full again little by little.
 *
 * @param spent when each certificate was issued
 */
export function leftOf({ burst, period }: CaLimit, spent: readonly Date[], now: Date): Left {
  let [tokens, at] = [burst, 0];
  const refill = (until: number) => {
    tokens = Math.min(burst, tokens + ((until - at) * burst) / period);
    at = until;
  };
  for (const time of spent.map(Number).toSorted((a, b) => a - b)) {
    refill(time);
    tokens = Math.max(0, tokens - 1);
  }
  refill(Number(now));
  return { tokens, next: new Date(Number(now) + ((1 - (tokens % 1)) * period) / burst) };
}

/**
 * What a CA still gives out for a domain, from what is known to have been issued for it.
 *
 * @param ours names that the stack orders: other machines' sets are their own affair
 */
export function judgeBudget(
  domain: string,
  { issuances, at }: Issued,
  { name: ca, isIssuer, domain: forDomain, set: forSet }: CaLimits,
  ours: ReadonlySet<string>,
  now: Date,
): Finding {
  const own = issuances.filter(({ issuer }) => isIssuer(issuer));
  const sets = new Map<string, Date[]>();
  for (const { names, from } of own) {
    const key = [...new Set(names)].toSorted().join(", ");
    sets.set(key, [...(sets.get(key) ?? []), from]);
  }
  // Renewals are free here: of equal ones only the first counts.
  const firsts = [...sets.values()].map((times) => new Date(Math.min(...times.map(Number))));
  const budgets = [
    { what: `${domain} and the names below it`, limit: forDomain, left: leftOf(forDomain, firsts, now) },
    ...[...sets.entries()]
      .filter(([names]) => names.split(", ").some((each) => ours.has(each)))
      .map(([names, times]) => ({
        what: `exactly ${clipped(names)}`,
        limit: forSet,
        left: leftOf(forSet, times, now),
      })),
  ];
  const findings = budgets.map(({ what, limit, left }) => {
    const many = Math.floor(left.tokens);
    const seen = `${ca} gives out ${many} of ${limit.burst} certificates for ${what}`;
    const until = `until ${left.next.toISOString().slice(0, 16)} UTC`;
    const advice =
      "an order more does not help: find out who orders again and again, such as a client whose disk is lost";
    if (many < 1) return fail(`${seen} ${until}`, { advice });
    return many === 1 || left.tokens <= limit.burst / 5 ? warn(`${seen} ${until}`, { advice }) : ok(seen);
  });
  const bad = worst(findings);
  const age = Math.round((Number(now) - Number(at)) / 60_000);
  const when = age > 1 ? `, as of ${age} minutes ago` : "";
  if (bad && bad.state !== "ok") return { ...bad, seen: bad.seen + when };
  const week = own.filter(({ from }) => Number(from) > Number(now) - forDomain.period).length;
  return ok(`${ca} has issued ${week} certificates for ${domain} and below within the week${when}`);
}

const clipped = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text);
