import { describe, expect, test } from "vitest";

import { domainsOf, setsOfTexts, textsOf } from "../../../../lib/dns/record-texts.ts";

const DKIM = { s1: "v=DKIM1; p=one" };
const SETS = {
  "mail.elsewhere.net A": ["198.51.100.7"],
  "example.org MX": ["10 mail.elsewhere.net."],
  "a.example.org TXT": ['says "so"'],
};
const common = { domains: ["example.org", "b.example.org"], dkim: DKIM };
const KEYS = {
  "s1._domainkey.example.org TXT": ["v=DKIM1; p=one"],
  "s1._domainkey.b.example.org TXT": ["v=DKIM1; p=one"],
};

describe("records as texts", () => {
  test("are one for each domain, with a line a set, and one for what is in no domain", () => {
    expect(textsOf({ ...SETS, ...KEYS }, common)).toEqual({
      "example.org":
        '{\n"example.org MX": ["10 mail.elsewhere.net."],\n"a.example.org TXT": ["says \\"so\\""]\n}',
      "b.example.org": "{\n\n}",
      ".": '{\n"mail.elsewhere.net A": ["198.51.100.7"]\n}',
    });
  });

  test("are the same sets and domains again", () => {
    const texts = textsOf({ ...SETS, ...KEYS }, common);
    expect(setsOfTexts(texts, DKIM)).toEqual({ ...SETS, ...KEYS });
    expect(domainsOf(texts)).toEqual(["example.org", "b.example.org"]);
  });

  test("say it where a domain's key is another one, or is missing", () => {
    const { "s1._domainkey.b.example.org TXT": _, ...one } = KEYS;
    for (const sets of [one, { ...KEYS, "s1._domainkey.example.org TXT": ["v=DKIM1; p=two"] }])
      expect(setsOfTexts(textsOf(sets, common), DKIM)).toEqual(sets);
  });

  test("take what an older release has left, set by set, and leave what is no text of theirs", () => {
    expect(setsOfTexts(SETS, {})).toEqual(SETS);
    expect(setsOfTexts({ "example.org": "no JSON" }, {})).toEqual({ "example.org": "no JSON" });
  });
});
