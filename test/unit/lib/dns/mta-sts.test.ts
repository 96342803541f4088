import fc from "fast-check";
import { expect, test } from "vitest";

import { mtaStsRecord } from "../../../../lib/dns/mta-sts.ts";
import { isAmong, patternSet } from "../../../../lib/dns/name-patterns.ts";

const policy = fc.record({
  mode: fc.constantFrom("enforce" as const, "testing" as const),
  maxAge: fc.integer({ min: 1, max: 365 }),
  mx: fc.array(fc.constantFrom("mail.example.org", "Mail.example.org", "*.example.net", "a.example"), {
    maxLength: 4,
  }),
});
/** What the policy says: hosts have no order, no case, and are there once. */
const said = ({ mode, maxAge, mx }: { mode: string; maxAge: number; mx: string[] }) =>
  JSON.stringify([mode, maxAge, [...new Set(mx.map((name) => name.toLowerCase()))].toSorted()]);

test("the id changes when the policy says something else, and only then", () =>
  fc.assert(
    fc.property(policy, policy, (one, other) => {
      expect(mtaStsRecord(one) === mtaStsRecord(other)).toBe(said(one) === said(other));
    }),
  ));

test("the id is 1 to 32 letters and digits (RFC 8461 §3.1)", () =>
  fc.assert(
    fc.property(policy, (one) => {
      expect(mtaStsRecord(one)).toMatch(/^v=STSv1; id=[a-zA-Z0-9]{1,32}$/);
    }),
  ));

test("a wildcard stands for one label, and not for none or two", () => {
  const names = patternSet(["*.Example.org", "a.example.net"]);
  expect(["mail.example.org", "a.example.net"].every((name) => isAmong(name, names))).toBe(true);
  for (const name of ["example.org", "a.b.example.org", "xexample.org", "b.example.net"])
    expect(isAmong(name, names)).toBe(false);
});
