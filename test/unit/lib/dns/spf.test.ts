import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { spfRecord, spfTerm } from "../../../../lib/dns/spf.ts";
import { spfLookups } from "../../../../lib/dns/spf-terms.ts";

describe("a place that mail leaves from is, in SPF,", () => {
  test.each([
    ["192.0.2.25", "ip4:192.0.2.25"],
    ["192.0.2.0/28", "ip4:192.0.2.0/28"],
    ["2001:DB8::25", "ip6:2001:db8::25"],
    ["2001:db8::/64", "ip6:2001:db8::/64"],
    ["include:_SPF.example.net", "include:_spf.example.net"],
  ])("%s: %s", (place, term) => expect(spfTerm(place)).toBe(term));

  test.each([
    ...["10.0.0.1", "100.64.0.9", "127.0.0.1", "169.254.1.1", "0.0.0.0/0", "192.0.2.0/33"],
    ...["fd7a:115c:a1e0::1", "fe80::1", "::1", "::/0", "2001:db8::/129"],
    ...["include:", "include:net", "include:a..b", "include:192.0.2.1", "include:x.example/24"],
    ...["mail.example.org", "a:mail.example.org", "192.0.2.25 -all", "", "192.0.2", "?all"],
  ])("nothing that SPF could name: %s", (place) => {
    expect(spfTerm(place)).toBeUndefined();
    expect(() => spfRecord([place])).toThrow(RangeError);
  });
});

describe("the record", () => {
  test("names each place once, and leaves the judgement on others to DMARC", () =>
    expect(spfRecord(["192.0.2.25", "include:a.example", "192.0.2.25"])).toBe(
      "v=spf1 ip4:192.0.2.25 include:a.example ~all",
    ));

  test("costs a receiver a lookup for what it must look up, and none for addresses", () => {
    const record =
      "v=spf1 a mx/24 ?include:x.example exists:%{i}.x.example ptr ip4:192.0.2.1 ip6:2001:db8::1 redirect=y.example";
    expect(spfLookups(record)).toBe(6);
    expect(spfLookups("v=spf1 ip4:192.0.2.1 exp=why.example -all")).toBe(0);
    expect(spfLookups(`${record} all`)).toBe(6);
  });

  test("with more than ten lookups is refused, since receivers take it for an error", () => {
    const places = (count: number) => Array.from({ length: count }, (_, i) => `include:s${i}.example`);
    expect(spfLookups(spfRecord(places(10)))).toBe(10);
    expect(() => spfRecord(places(11))).toThrow(/11 lookups.*7208/);
  });

  test("holds every public address as it was given", () =>
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const term = spfTerm(address);
        if (term !== undefined) expect(spfRecord([address])).toBe(`v=spf1 ip4:${address} ~all`);
      }),
    ));
});
