/**
 * The steps of a DKIM key: published, then signing, then retired, then gone. Whoever leaves one out
 * has receivers look for a key that they do not find, and mail fails DMARC.
 */

/** What a selector's key is for, in the order of a rotation. */
export const DKIM_STEPS = ["publish", "sign", "retire"] as const;
export type DkimStep = (typeof DKIM_STEPS)[number];

/** Selector → what its key is for. */
export type DkimUses = Readonly<Record<string, DkimStep>>;

/** A step that was left out. */
export interface RefusedStep {
  selector: string;
  reason: string;
}

/**
 * The selectors whose step is not the next one after the last deploy's.
 *
 * A first key may sign at once, since no other one is given up for it; that it is published is
 * looked at in any case. One that was retired may sign again: it is published still.
 *
 * @example refusedSteps({ b: "sign" }, { a: "sign", b: "publish" })
 * // [{ selector: "a", reason: "signs …" }]
 */
export function refusedSteps(uses: DkimUses, before: DkimUses): RefusedStep[] {
  const signed = Object.values(before).includes("sign");
  const selectors = new Set([...Object.keys(before), ...Object.keys(uses)]);
  return [...selectors].flatMap((selector) => {
    const reason = refusal(uses[selector], before[selector], signed);
    return reason === undefined ? [] : [{ selector, reason }];
  });
}

function refusal(now: DkimStep | undefined, last: DkimStep | undefined, signed: boolean): string | undefined {
  if (last === "sign" && (now === undefined || now === "publish"))
    return "signs mail that is under way; accepts retire, and about a week later nothing";
  if (last === "retire" && now === "publish") return "has signed already; accepts retire, sign or nothing";
  if (last === "publish" && now === "retire") return "has signed nothing; accepts publish, sign or nothing";
  if (last !== undefined || now === undefined || now === "publish") return undefined;
  if (now === "retire") return "is new; accepts publish";
  return signed
    ? "is new, and another key signs; accepts publish first, and sign with the next deploy"
    : undefined;
}
