import { describe, expect, test } from "vitest";

import { mailRecords } from "../../../../lib/dns/mail-records.ts";
import type { MailSetup } from "../../../../lib/dns/mail-setup.ts";
import { dataOf } from "../../../../lib/dns/writers/presentation.ts";
import { domain, wholeSetup } from "./setup.ts";

/** Each record as `name type data`. */
const lines = (more: Partial<MailSetup> = {}) =>
  mailRecords(wholeSetup(more)).records.map((each) => `${each.name} ${each.type} ${dataOf(each)}`);
const at = (name: string, more: Partial<MailSetup> = {}) =>
  lines(more)
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1));
const notes = (more: Partial<MailSetup> = {}) => mailRecords(wholeSetup(more)).notes;
const noted = (what: string, more: Partial<MailSetup> = {}) =>
  notes(more).filter((note) => note.what === what);

describe("a stack that says everything has, for its first domain,", () => {
  test("the mail host at the edge, the MX, SPF, DMARC and the rest", () => {
    const mta = /^_mta-sts\.example\.org TXT "v=STSv1; id=[0-9a-f]{32}"$/;
    const CA = '"letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/12"';
    const found = mailRecords(wholeSetup())
      .records.filter(({ under }) => under === "example.org")
      .map((each) => `${each.name} ${each.type} ${dataOf(each)}`);
    expect(found.filter((line) => mta.test(line))).toHaveLength(1);
    expect(found.filter((line) => !mta.test(line))).toEqual([
      "mail.example.org A 198.51.100.7",
      "example.org MX 10 mail.example.org.",
      'example.org TXT "v=spf1 ip4:192.0.2.25 ~all"',
      '_dmarc.example.org TXT "v=DMARC1; p=none; rua=mailto:postmaster@example.org"',
      '_smtp._tls.example.org TXT "v=TLSRPTv1; rua=mailto:postmaster@example.org"',
      "mta-sts.example.org A 198.51.100.7",
      "autoconfig.example.org A 198.51.100.7",
      "autodiscover.example.org A 198.51.100.7",
      "ua-auto-config.example.org A 198.51.100.7",
      "_submissions._tcp.example.org SRV 0 1 465 mail.example.org.",
      "_submission._tcp.example.org SRV 0 1 587 mail.example.org.",
      "_imaps._tcp.example.org SRV 0 1 993 mail.example.org.",
      "_imap._tcp.example.org SRV 0 0 0 .",
      "_pop3s._tcp.example.org SRV 0 0 0 .",
      "_pop3._tcp.example.org SRV 0 0 0 .",
      "_sieve._tcp.example.org SRV 0 1 4190 mail.example.org.",
      "_jmap._tcp.example.org SRV 0 1 443 mail.example.org.",
      "_caldavs._tcp.example.org SRV 0 1 443 mail.example.org.",
      "_carddavs._tcp.example.org SRV 0 1 443 mail.example.org.",
      `example.org CAA 0 issuewild ${CA}`,
      ...["mail", "mta-sts", "autoconfig", "autodiscover", "ua-auto-config"].map(
        (label) => `${label}.example.org CAA 0 issue ${CA}`,
      ),
    ]);
  });

  test("only DKIM missing, and the names of addresses to be set by others", () => {
    expect(notes().map(({ state, what }) => `${state}: ${what}`)).toEqual([
      "missing: DKIM",
      "set elsewhere: PTR of where mail leaves",
      "set elsewhere: PTR of the edge",
      "left out: AAAA",
    ]);
    expect(noted("PTR of the edge")[0]?.instead).toContain("7.100.51.198.in-addr.arpa PTR mail.example.org");
  });
});

test("a mail host has no AAAA record, but for a lab that leaves lesson 17's guard out", () => {
  expect(lines().filter((line) => line.includes(" AAAA "))).toEqual([]);
  expect(at("mail.example.org", { deadAddress6: "2001:db8::20" })).toContain("AAAA 2001:db8::20");
});

test("a domain with a host of its own has that as its MX", () => {
  expect(at("example.net")).toContain("MX 10 mail.example.net.");
  expect(at("mail.example.net")[0]).toBe("A 198.51.100.7");
});

test("a mail host in none of the domains is listed under its own name", () => {
  const { records } = mailRecords(
    wholeSetup({ mailHost: "mx.example.com", domains: [domain("example.org")] }),
  );
  expect(records.find(({ name }) => name === "mx.example.com")?.under).toBe("mx.example.com");
});

test("a name is below the longest domain that holds it", () => {
  const domains = [domain("example.org"), domain("team.example.org", { hosts: ["mx.team.example.org"] })];
  const { records } = mailRecords(wholeSetup({ domains }));
  expect(records.find(({ name }) => name === "mx.team.example.org")?.under).toBe("team.example.org");
});

test("names are in lower case, whatever the config has", () => {
  const upper = { mailHost: "Mail.Example.ORG", domains: [domain("Example.ORG")] };
  expect(lines(upper)).toEqual(lines({ domains: [domain("example.org")] }));
});

describe("never a guess:", () => {
  test("without the relay's addresses there is no SPF record, and it is said what to write", () => {
    expect(lines({ egress: undefined }).join("\n")).not.toContain("v=spf1");
    expect(noted("SPF", { egress: undefined })).toMatchObject([
      { state: "missing", need: "required", of: ["example.org", "example.net"] },
    ]);
    expect(noted("SPF", { egress: undefined })[0]?.instead).toContain("egress: [192.0.2.25]");
  });

  test("DKIM is missing as long as no key is declared, in so many words", () => {
    expect(noted("DKIM")[0]?.why).toContain("mail is unsigned");
    const domains = [domain("example.org", { publishRecords: ["dkim"] })];
    expect(noted("DKIM", { domains })).toMatchObject([{ state: "set elsewhere", of: ["example.org"] }]);
  });

  test("AAAA is left out, with the reason", () =>
    expect(noted("AAAA")).toMatchObject([
      { state: "left out", of: ["mail.example.org", "mail.example.net"], why: /lesson 17/ },
    ]));

  test("reports go nowhere where nobody would read them", () => {
    const nobody = { isDelivered: () => false };
    expect(at("_dmarc.example.org", nobody)).toEqual(['TXT "v=DMARC1; p=none"']);
    expect(at("_smtp._tls.example.org", nobody)).toEqual([]);
    expect(noted("Reports (DMARC's rua, TLS-RPT)", nobody)).toHaveLength(1);
  });

  test("a CA that is not known here has no CAA record", () => {
    const acme = [{ directory: "https://acme.lab-ca.test/dir", names: ["*.example.org"] }];
    expect(lines({ acme }).join("\n")).not.toContain("CAA");
    expect(noted("CAA", { acme })).toMatchObject([{ of: ["acme.lab-ca.test"], why: /not known/ }]);
  });
});

describe("DMARC's reports on another domain", () => {
  test("come to one of ours by a record there", () => {
    const more = { reports: "dmarc@Example.org" };
    expect(at("_dmarc.example.net", more)).toEqual(['TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.org"']);
    expect(at("example.net._report._dmarc.example.org", more)).toEqual(['TXT "v=DMARC1"']);
    expect(at("example.org._report._dmarc.example.org", more)).toEqual([]);
  });

  test("come to a stranger's only where it agrees, which is said", () => {
    const more = { reports: "d@reports.example.com" };
    expect(lines(more).filter((line) => line.includes("_report"))).toEqual([]);
    expect(noted("Consent to DMARC's reports", more)[0]?.instead).toContain("reports.example.com");
  });

  test("and what receivers do is each domain's own choice", () => {
    const domains = [domain("example.org", { dmarc: "reject" }), domain("example.net")];
    expect(at("_dmarc.example.org", { domains })[0]).toContain("p=reject;");
    expect(at("_dmarc.example.net", { domains })[0]).toContain("p=none;");
  });
});

describe("MTA-STS has no record", () => {
  const sts = (more: Partial<MailSetup>) => ({
    records: lines(more).filter((line) => line.startsWith("_mta-sts.example.org")),
    said: noted("MTA-STS", more).map(({ state, why }) => `${state}: ${why}`),
  });
  const { mtaSts, services, acme } = wholeSetup();
  test.each<[string, Partial<MailSetup>, RegExp]>([
    ["when it is off", { mtaSts: { ...mtaSts, mode: "disable" } }, /^left out: .*disable/],
    ["when its policy is not served", { services: ["smtp"] }, /^missing: .*443/],
    [
      "when its policy does not name the MX",
      { mtaSts: { ...mtaSts, mx: ["mx.example.org"] } },
      /does not name/,
    ],
    ["when nobody orders its certificate", { acme: [] }, /certificate/],
    [
      "when nobody orders the mail host's",
      { acme: acme.map((client) => ({ ...client, names: ["mta-sts.example.org"] })) },
      /certificate/,
    ],
  ])("%s", (_when, more, says) => {
    const { records, said } = sts(more);
    expect(records).toEqual([]);
    expect(said[0]).toMatch(says);
  });

  test("and has one when the policy names the MX by a wildcard", () => {
    const mx = ["*.Example.org", "mail.example.net"];
    expect(sts({ mtaSts: { ...mtaSts, mx }, services }).records).toHaveLength(1);
  });
});

describe("what Stalwart publishes is not written twice", () => {
  test.each([
    ["dmarc", "_dmarc."],
    ["tlsRpt", "_smtp._tls."],
    ["mtaSts", "_mta-sts."],
    ["mtaSts", "mta-sts."],
    ["srv", "_imaps._tcp."],
    ["autoConfig", "ua-auto-config."],
    ["autoConfigLegacy", "autoconfig."],
    ["autoDiscover", "autodiscover."],
  ])("%s", (kind, label) => {
    const domains = [domain("example.org", { publishRecords: [kind] })];
    expect(at(`${label}example.org`, { domains: [domain("example.org")] })).not.toEqual([]);
    expect(at(`${label}example.org`, { domains })).toEqual([]);
    expect(
      notes({ domains }).filter(
        ({ state, why }) => state === "set elsewhere" && why.includes("publishRecords"),
      ),
    ).toHaveLength(1);
  });

  test("caa, of the domain and of names below it", () => {
    const domains = [domain("example.org", { publishRecords: ["caa"] })];
    expect(
      lines({ domains }).filter((line) => line.includes("CAA") && line.includes("example.org ")),
    ).toEqual([]);
  });
});

describe("CAA", () => {
  test("stands at the mail names, and bars nobody from the domain's others", () => {
    const caa = lines().filter((line) => / CAA /.test(line));
    expect(caa.filter((line) => /^example\.(org|net) CAA 0 issue /.test(line))).toEqual([]);
    expect(caa.filter((line) => line.startsWith("autoconfig.example.net"))).toEqual([]);
  });

  test("is left out at a mail host that is the domain itself, since it would bar the edge's sites", () => {
    const apex = { mailHost: "example.org", domains: [domain("example.org")] };
    const acme = wholeSetup().acme.map((client) => ({ ...client, names: ["example.org"] }));
    expect(at("example.org", { ...apex, acme }).filter((line) => line.startsWith("CAA"))).toEqual([]);
    expect(noted("CAA", { ...apex, acme })).toMatchObject([{ state: "left out", of: ["example.org"] }]);
  });

  test("names the CA alone where no account is known, and says so", () => {
    expect(at("mail.example.net", { acmeAccounts: [] })).toContain('CAA 0 issue "letsencrypt.org"');
    expect(noted("CAA's accounturi", { acmeAccounts: [] })).toMatchObject([{ of: ["letsencrypt.org"] }]);
  });

  test("takes several accounts, each in a record", () => {
    const acmeAccounts = [1, 2].map((id) => `https://acme-v02.api.letsencrypt.org/acme/acct/${id}`);
    expect(at("mail.example.net", { acmeAccounts }).filter((line) => line.startsWith("CAA"))).toHaveLength(2);
  });
});

test("services that are not offered are refused by their SRV records (RFC 6186)", () => {
  const more = { services: ["smtp", "pop3s"] as const };
  expect(at("_pop3s._tcp.example.org", more)).toEqual(["SRV 0 1 995 mail.example.org."]);
  expect(at("_imaps._tcp.example.org", more)).toEqual(["SRV 0 0 0 ."]);
  expect(at("_jmap._tcp.example.org", more)).toEqual([]);
  expect(at("autoconfig.example.org", more)).toEqual([]);
});

describe("DKIM", () => {
  const dkim = [
    { selector: "one", record: "v=DKIM1; k=rsa; p=MIIB" },
    { selector: "two", record: undefined },
  ];

  test("has a record of each key at each domain, signing or not", () => {
    for (const name of ["example.org", "example.net"])
      expect(at(`one._domainkey.${name}`, { dkim })).toEqual(['TXT "v=DKIM1; k=rsa; p=MIIB"']);
  });

  test("is missing where a key is not made yet, by the selector's name", () => {
    expect(noted("DKIM", { dkim })).toMatchObject([
      { state: "missing", of: ["example.org", "example.net"], why: expect.stringContaining("key of two") },
    ]);
    expect(noted("DKIM", { dkim: dkim.slice(0, 1) })).toEqual([]);
  });
});
