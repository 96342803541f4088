import { describe, expect, test } from "vitest";

import { judgeCached, judgeServers } from "../../../../verify/checks/dns.ts";
import { judgeRecords, type Wanted, wantedOf } from "../../../../verify/doctor/records.ts";

const wanted = (purpose: Wanted["purpose"], type: Wanted["type"], ...values: string[]): Wanted => ({
  name: "example.org",
  type,
  purpose,
  values,
});
const SPF = wanted("spf", "TXT", "v=spf1 ip4:192.0.2.25 ~all");
const DMARC = wanted("dmarc", "TXT", "v=DMARC1; p=reject");
const HOST = wanted("host", "A", "192.0.2.1");
const MX = wanted("mx", "MX", "10 mail.example.org.");
const WEB = wanted("web", "A", "192.0.2.1");
const STS = wanted("mtaSts", "TXT", "v=STSv1; id=a");
const ED = wanted("dkim", "TXT", "v=DKIM1; k=ed25519; p=AAA=");
const RSA = wanted("dkim", "TXT", "v=DKIM1; k=rsa; p=MII");
const CAA = wanted("caa", "CAA", '0 issue "letsencrypt.org"');

describe("what is published is held against what mail needs:", () => {
  test.each<[string, Wanted, string[], string, RegExp]>([
    ["the address of the edge", HOST, ["192.0.2.1"], "ok", /^example.org A is 192\.0\.2\.1$/],
    ["another address", HOST, ["192.0.2.9"], "fail", /is 192\.0\.2\.9, and the config says 192\.0\.2\.1/],
    ["an address more", HOST, ["192.0.2.9", "192.0.2.1"], "fail", /leads also to 192\.0\.2\.9/],
    ["no address", HOST, [], "fail", /has no A record/],
    ["no address of a web name", WEB, [], "warn", /has no A record/],
    ["the MX", MX, ["10 mail.example.org."], "ok", /10 mail/],
    ["a second MX", MX, ["20 backup.example.net.", "10 mail.example.org."], "ok", /backup/],
    ["another MX", MX, ["10 old.example.net."], "fail", /old\.example\.net\., and the config says 10 mail/],
    ["SPF", SPF, ["google-site=x", "v=spf1 ip4:192.0.2.25 ~all"], "ok", /ip4/],
    ["SPF that says more", SPF, ["v=spf1 include:_spf.example.net +ip4:192.0.2.25 -all"], "ok", /include/],
    ["SPF without the relay", SPF, ["v=spf1 mx -all"], "fail", /does not name ip4:192\.0\.2\.25/],
    ["SPF that ends too early", SPF, ["v=spf1 -all ip4:192.0.2.25"], "fail", /does not name ip4/],
    ["two SPF records", SPF, ["v=spf1 ip4:192.0.2.25 ~all", "v=spf1 mx -all"], "fail", /2 SPF records/],
    ["no SPF record", SPF, ["v=spf10 ip4:192.0.2.25"], "fail", /has no SPF record/],
    ["DMARC", DMARC, ["v=DMARC1; p=reject"], "ok", /p=reject/],
    [
      "another policy of DMARC",
      DMARC,
      ["v=DMARC1; p=none"],
      "warn",
      /p=none, and the config says .*p=reject/,
    ],
    ["two DMARC records", DMARC, ["v=DMARC1; p=none", "v=DMARC1;p=reject"], "fail", /2 DMARC records/],
    ["no DMARC record", DMARC, [], "fail", /has no DMARC record/],
    ["an old id of MTA-STS", STS, ["v=STSv1; id=b"], "warn", /id=b, and the config says .*id=a/],
    ["a DKIM key of RSA", RSA, ["v=DKIM1; k=rsa; p=MII"], "ok", /k=rsa/],
    ["the same in other words", RSA, ["p=M II"], "ok", /p=M II/],
    ["a DKIM key of ed25519", ED, ["v=DKIM1; k=ed25519; h=sha256; p=AAA="], "ok", /k=ed25519/],
    ["one that says nothing of its kind", ED, ["v=DKIM1; p=AAA="], "fail", /and the config says .*k=ed25519/],
    ["another key of ed25519", ED, ["v=DKIM1; k=ed25519; p=BBB="], "fail", /p=BBB=, and the config says/],
    ["no CAA", CAA, [], "warn", /has no CAA record/],
    ["another CA", CAA, ['0 issue "example.net"'], "warn", /example\.net/],
  ])("%s", (_what, record, published, state, seen) => {
    const found = judgeRecords(record, published);
    expect(found.state).toBe(state);
    expect(found.seen).toMatch(seen);
    if (state === "fail") expect(found.advice).toContain(record.values[0]?.split(" ").at(-1));
  });
});

test("a purpose's records are gathered by their names", () => {
  const host = { under: "example.org", purpose: "host", type: "A" } as const;
  const one = { ...host, name: "mail.example.org", address: "192.0.2.1" };
  const two = { ...one, address: "192.0.2.2" };
  expect(wantedOf([one, two], "host")).toEqual([
    { name: "mail.example.org", type: "A", purpose: "host", values: ["192.0.2.1", "192.0.2.2"] },
  ]);
  expect(wantedOf([one, two], "mx")).toEqual([]);
});

test("what a cache still has is a warning, and only where it is not what is published", () => {
  const cache = { server: "this machine's resolver" };
  expect(judgeCached(HOST, { ...cache, values: ["192.0.2.1"] })).toBeUndefined();
  expect(judgeCached(HOST, { ...cache, values: undefined })).toBeUndefined();
  expect(judgeCached(HOST, { ...cache, values: ["192.0.2.9"] })).toMatchObject({
    state: "warn",
    seen: expect.stringMatching(/still has what was: .*192\.0\.2\.9/) as string,
  });
});

describe("the servers of a zone", () => {
  test.each([
    ["all have the same", ["ns1 7", "ns2 7"], "ok"],
    ["one has another serial", ["ns1 7", "ns2 6"], "warn"],
    ["one does not answer", ["ns1 7", "ns2 does not answer"], "warn"],
    ["none answers", ["ns1 does not answer", "ns2 answers with EREFUSED"], "fail"],
  ])("%s", (_what, serials, state) => {
    expect(judgeServers("example.org", serials).state).toBe(state);
  });
});
