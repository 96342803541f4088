import fc from "fast-check";
import { expect, test } from "vitest";

import { absolute, reverseName, textStrings } from "../../../../lib/dns/record.ts";

test("a text is split into strings of at most 255 octets, between characters, and joins to itself", () =>
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 900 }), (text) => {
      const strings = textStrings(text);
      expect(strings.join("")).toBe(text);
      for (const each of strings) {
        expect(Buffer.byteLength(each)).toBeLessThanOrEqual(255);
        expect(Buffer.from(each).toString()).toBe(each);
      }
      // No more strings than it takes: only a character of up to four octets leaves room.
      expect(strings.length).toBeLessThanOrEqual(Math.max(1, Math.ceil(Buffer.byteLength(text) / 252)));
    }),
  ));

test("the root is a dot, and an address' reverse name begins with its last part", () => {
  expect(absolute("")).toBe(".");
  expect(absolute("example.org")).toBe("example.org.");
  expect(reverseName("198.51.100.7")).toBe("7.100.51.198.in-addr.arpa");
});
