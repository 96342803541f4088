import { describe, expect, test } from "vitest";
import { parse } from "yaml";

import { adoptRecords, describeAdopted, foreignIn, liveSets, writtenIn } from "../../../cli/adopt/dns.ts";

const MX = "example.org MX";
const SPF = "example.org TXT";
const wanted = { [MX]: ["10 mail.example.org."], [SPF]: ["v=spf1 ip4:192.0.2.25 ~all"] };

describe("what stands in the way of a deploy's records", () => {
  test("is what is neither declared, nor the last deploy's, nor adopted", () => {
    const live = { [MX]: ["10 mx.example.net."], [SPF]: ["v=spf1 mx -all", "site=verified"] };
    expect(foreignIn(live, wanted, {}, [])).toEqual([
      { key: MX, live: ["10 mx.example.net."], wanted: wanted[MX] },
      { key: SPF, live: ["v=spf1 mx -all"], wanted: wanted[SPF] },
    ]);
    expect(foreignIn(live, wanted, { [SPF]: ["v=spf1 mx -all"] }, [MX])).toEqual([]);
  });

  test("is told with both values", () => {
    const foreign = foreignIn({ [MX]: ["10 mx.example.net."] }, wanted, {}, []);
    expect(describeAdopted("Pulumi.prod.yaml", [], foreign).split("\n")).toEqual([
      "These are not the stack's, and stop a deploy that writes its records:",
      `  ${MX}`,
      "    there is: 10 mx.example.net.",
      "    wanted:   10 mail.example.org.",
    ]);
    expect(describeAdopted("Pulumi.prod.yaml", [MX], [])).toBe(
      `The next \`up\` replaces (dns.adopt of Pulumi.prod.yaml): ${MX}`,
    );
    expect(describeAdopted("Pulumi.prod.yaml", [], [])).toBe("Nothing is in the way of the stack's records.");
  });
});

describe("what the zones have", () => {
  const zone = (answers: Record<string, { server: string; values?: string[]; error?: string }[]>) => ({
    published: (name: string, type: string) => Promise.resolve(answers[`${name} ${type}`] ?? []),
  });

  test("is each value that any of their servers shows, once", async () => {
    const live = await liveSets(
      [MX, SPF],
      zone({
        [MX]: [
          { server: "a", values: ["10 one.", "20 two."] },
          { server: "b", values: ["10 one.", "30 three."] },
        ],
        [SPF]: [
          { server: "a", error: "timed out" },
          { server: "b", values: [] },
        ],
      }),
    );
    expect(live).toEqual({ [MX]: ["10 one.", "20 two.", "30 three."], [SPF]: [] });
  });

  test("is not known where none of them answers", async () => {
    const silent = zone({ [MX]: [{ server: "a", error: "timed out" }] });
    await expect(liveSets([MX], silent)).rejects.toThrow(`nobody says what ${MX} is: timed out`);
    await expect(liveSets([MX], zone({}))).rejects.toThrow("its zone has no server");
  });
});

test("the last deploy's records are those in the stack's state, and none before it", () => {
  const resources = [
    { type: "pulumi:pulumi:Stack" },
    { type: "tailwart:dns:RecordSet", outputs: { records: wanted } },
  ];
  expect(writtenIn(JSON.stringify({ deployment: { resources } }))).toEqual(wanted);
  expect(writtenIn(JSON.stringify({ deployment: {} }))).toEqual({});
  expect(writtenIn(JSON.stringify({ version: 3 }))).toEqual({});
});

describe("records are taken into the config", () => {
  const adopted = (text: string) =>
    (parse(text) as { config: Record<string, { adopt: string[] }> }).config["tailwart:dns"]?.adopt;

  test("beside those that are there, once, and the file stays as it is otherwise", () => {
    const text =
      "config:\n  # What is written.\n  tailwart:dns:\n    write: true # since May\n    adopt: [a.org MX]\n";
    const after = adoptRecords(text, [MX, "a.org MX"]);
    expect(adopted(after)).toEqual(["a.org MX", MX]);
    expect(after).toContain("  # What is written.\n  tailwart:dns:\n    write: true # since May\n");
  });

  test.each([
    "config:\n  tailwart:dns:\n    write: true\n",
    "config:\n  tailwart:mailHost: mail.example.org\n",
  ])("where there were none: %j", (text) => expect(adopted(adoptRecords(text, [MX]))).toEqual([MX]));
});
