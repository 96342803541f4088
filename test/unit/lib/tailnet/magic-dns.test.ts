import { describe, expect, test } from "vitest";
import { aaaaPossibleFor } from "../../../../lib/tailnet/magic-dns.ts";

const asked = (nodeAttrs: unknown) =>
  aaaaPossibleFor(JSON.stringify({ grants: [], nodeAttrs }), "tag:stalwart", "tag:mail");

describe("whether MagicDNS may answer AAAA for a peer", () => {
  test.each([
    ["no attributes at all", undefined, false],
    ["magicdns-aaaa on the asking node", [{ target: ["tag:stalwart"], attr: ["magicdns-aaaa"] }], true],
    ["magicdns-aaaa on all nodes", [{ target: ["*"], attr: ["x", "magicdns-aaaa"] }], true],
    ["magicdns-aaaa on all tagged nodes", [{ target: ["autogroup:tagged"], attr: ["magicdns-aaaa"] }], true],
    ["magicdns-aaaa on the target only", [{ target: ["tag:mail"], attr: ["magicdns-aaaa"] }], false],
    [
      "magicdns-aaaa on people, whose devices carry no tag",
      [{ target: ["autogroup:member", "group:x", "a@b.c"], attr: ["magicdns-aaaa"] }],
      false,
    ],
    [
      "magicdns-aaaa on a host that cannot be judged",
      [{ target: ["some-host"], attr: ["magicdns-aaaa"] }],
      true,
    ],
    ["disable-ipv4 on the target", [{ target: ["tag:mail"], attr: ["disable-ipv4"] }], true],
    ["disable-ipv4 on the asking node", [{ target: ["tag:stalwart"], attr: ["disable-ipv4"] }], true],
    ["disable-ipv4 on a third node", [{ target: ["tag:db"], attr: ["disable-ipv4"] }], false],
    ["entries without lists", [null, {}, { target: "tag:mail", attr: "disable-ipv4" }], false],
  ])("%s", (_, nodeAttrs, expected) => {
    expect(asked(nodeAttrs)).toBe(expected);
  });
});
