import { createHash } from "node:crypto";

import { diffPolicy, foreignParts, ownParts } from "../lib/tailnet/policy-document.ts";

/** What a look at the live policy file came to. */
export interface Drift {
  /** The difference of what is not tailwart's, for people; empty when a deploy may go on. */
  foreign: string;
  /** The difference of tailwart's own entries; empty when a deploy may go on. */
  own: string;
  /** What the next look takes as `before`: fingerprints, no text of the policy. */
  record: string;
}

/**
 * Finds what somebody changed by hand in the live policy file (decision 10). Each of its two parts
 * may be as the last look left it (it was seen then, or deployed after), or as it is about to be
 * deployed. Tailwart's entries may also be gone altogether: that is how it is before the first
 * deploy, and nothing of anybody's is lost by putting them back.
 *
 * @param before the record of the last look that passed; "" before the first deploy
 */
export function driftOf(live: string, desired: string, before: string): Drift {
  const known = (fingerprint: string) => before.includes(fingerprint);
  const difference = diffPolicy(live, desired);
  const seen = fingerprints(live);
  const next = fingerprints(desired);
  return {
    foreign: known(seen.foreign) ? "" : difference.foreign,
    own: known(seen.own) || ownParts(live) === "" ? "" : difference.own,
    // Both, since the deploy may fail between this look and the write.
    record: `seen: ${seen.foreign} ${seen.own}; deployed: ${next.foreign} ${next.own}`,
  };
}

function fingerprints(document: string): { foreign: string; own: string } {
  return { foreign: `foreign=${sha256(foreignParts(document))}`, own: `own=${sha256(ownParts(document))}` };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
