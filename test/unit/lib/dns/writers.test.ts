import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { mailRecords, type MailRecords } from "../../../../lib/dns/mail-records.ts";
import { dnscontrolSnippet } from "../../../../lib/dns/writers/dnscontrol.ts";
import { FORMATS } from "../../../../lib/dns/writers/formats.ts";
import { dataOf } from "../../../../lib/dns/writers/presentation.ts";
import { recordTable } from "../../../../lib/dns/writers/table.ts";
import { zoneLines } from "../../../../lib/dns/writers/zone.ts";
import { runDnscontrol } from "./dnscontrol.ts";
import { domain, wholeSetup } from "./setup.ts";

const whole = mailRecords(wholeSetup());
const said = ({ records }: MailRecords) =>
  records.map((each) => `${each.name} ${each.type} ${dataOf(each)}`).toSorted();

const thousand = Array.from({ length: 1000 }, (_, i) =>
  domain(`d${i}.example`, { hosts: [`mx.d${i}.example`] }),
);

describe("a zone file's lines", () => {
  const lines = zoneLines(whole, "of a test").trimEnd().split("\n");

  test("are each a comment, or one record with its whole name", () => {
    const records = lines.filter((line) => line !== "" && !line.startsWith(";"));
    expect(records.every((line) => /^\S+\. IN (A|MX|TXT|SRV|CAA) \S/.test(line))).toBe(true);
    expect(records.map((line) => line.replace(/\. IN /, " ")).toSorted()).toEqual(said(whole));
  });

  test("say what is missing as comments", () => {
    expect(lines).toContain("; Missing:");
    expect(lines.every((line) => line.length <= 80 || !line.startsWith(";"))).toBe(true);
  });

  test("have quotes, backslashes and octets as a zone file wants them (RFC 1035 §5.1)", () => {
    const record = { name: "a", under: "a", purpose: "spf", type: "TXT", text: 'a"b\\c;é' } as const;
    expect(dataOf(record)).toBe(String.raw`"a\"b\\c;\195\169"`);
  });
});

describe("a piece of dnsconfig.js", () => {
  test("makes the same records when dnscontrol's functions run it", () =>
    expect(runDnscontrol(dnscontrolSnippet(whole, "t"), ["example.org", "example.net"]).toSorted()).toEqual(
      said(whole),
    ));

  test("does so where a mail domain is part of a larger zone", () => {
    const domains = [domain("team.example.org"), domain("a.b.example.org")];
    const records = mailRecords(wholeSetup({ domains }));
    expect(runDnscontrol(dnscontrolSnippet(records, "t"), ["example.org"]).toSorted()).toEqual(said(records));
  });

  test("has a text of more than 255 octets as several strings", () => {
    const egress = Array.from({ length: 30 }, (_, i) => `192.0.2.${i}`);
    const records = mailRecords(wholeSetup({ egress }));
    expect(dnscontrolSnippet(records, "t")).toContain('TXT("@", ["v=spf1 ip4');
    expect(runDnscontrol(dnscontrolSnippet(records, "t"), ["example.org", "example.net"]).toSorted()).toEqual(
      said(records),
    );
  });

  test("is refused by the fake where it is wrong", () => {
    for (const wrong of ['MX("@", "10", "a.")', 'MX("@", 10, "a")', 'TXT("@")', 'A("a.", "192.0.2.1")'])
      expect(() => runDnscontrol(`D_EXTEND("example.org", ${wrong}, END);`, ["example.org"])).toThrow();
    expect(() => runDnscontrol('D_EXTEND("example.com", END);', ["example.org"])).toThrow(/not declared/);
  });
});

describe("the table", () => {
  const lines = recordTable(whole, "of a test").split("\n");

  test("has every record's name and value, the values of TXT without quotes", () => {
    const text = lines.join(" ").replace(/\s+/g, " ");
    for (const record of whole.records) {
      const value = record.type === "TXT" ? record.text : dataOf(record);
      expect(text).toContain(`${record.type} ${record.name} ${value}`);
    }
  });

  test("fits 80 columns", () => expect(lines.filter((line) => line.length > 80)).toEqual([]));

  test("breaks no word where names and values are long, and leaves none out", () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }), (lengths) => {
        const name = `${lengths.map((length) => "x".repeat(length)).join(".")}.example`;
        const records = mailRecords(wholeSetup({ domains: [domain(name)], mailHost: `mail.${name}` }));
        const table = recordTable(records, "t");
        for (const record of records.records) expect(table).toContain(record.name);
        const wide = table.split("\n").filter((line) => line.length > 80);
        expect(wide.filter((line) => line.trim().split(/\s+/).length > 2)).toEqual([]);
      }),
    ));
});

test("JSON has each record's parts, its data as a zone file has it, and the notes", () => {
  const { records, notes } = JSON.parse(FORMATS.json(whole)) as MailRecords;
  expect(notes).toEqual(whole.notes);
  expect(records).toContainEqual({
    name: "example.org",
    under: "example.org",
    purpose: "mx",
    type: "MX",
    preference: 10,
    exchange: "mail.example.org",
    data: "10 mail.example.org.",
    need: "required",
  });
});

describe("a thousand domains", () => {
  /** Of the processor's time: a machine that tests run on has others to serve. */
  function milliseconds(count: number): number {
    const before = process.cpuUsage();
    const records = mailRecords(wholeSetup({ domains: thousand.slice(0, count) }));
    for (const format of Object.values(FORMATS)) format(records, "t");
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  }
  const best = (count: number) => Math.min(milliseconds(count), milliseconds(count));

  test("take well under a second in all four formats, and not much more than four times 250's", () => {
    const all = best(1000);
    expect(all).toBeLessThan(800);
    expect(all).toBeLessThan(best(250) * 12);
  }, 60_000);

  test("make notes of a few lines", () => {
    const { notes } = mailRecords(wholeSetup({ domains: thousand, egress: undefined }));
    expect(notes.length).toBeLessThan(10);
    const table = recordTable({ records: [], notes }, "t");
    expect(table).toContain("and 995 more");
    expect(table.split("\n").length).toBeLessThan(50);
  });
});
