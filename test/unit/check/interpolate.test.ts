import { describe, expect, test } from "vitest";

import { readEnvFile } from "../../../policies/check/compose/env-file.ts";
import { interpolate, type Variable } from "../../../policies/check/compose/interpolate.ts";

const VARIABLES = new Map<string, Variable>([
  ["NAME", { value: "mail", isHidden: false }],
  ["EMPTY", { value: "", isHidden: false }],
  ["SECRET", { value: "hunter2!", isHidden: true }],
]);

describe("interpolation", () => {
  test.each([
    ["$NAME", "mail"],
    ["${NAME}", "mail"],
    ["a${NAME}b", "amailb"],
    ["${NAME:-other}", "mail"],
    ["${EMPTY:-other}", "other"],
    ["${EMPTY-other}", ""],
    ["${GONE-other}", "other"],
    ["${GONE:-${NAME}.example}", "mail.example"],
    ["${GONE:-${LOST:-x}}", "x"],
    ["${NAME:?must be set}", "mail"],
    ["${NAME:+set}", "set"],
    ["${GONE:+set}", ""],
    ["${EMPTY:+set}", ""],
    ["$$NAME and $${NAME}", "$NAME and ${NAME}"],
    ["costs 5$", "costs 5$"],
    ["${NAME", "${NAME"],
    ["${not a name}", "${not a name}"],
  ])("makes %s to %s, as Compose does", (source, text) => {
    expect(interpolate(source, VARIABLES).text).toBe(text);
  });

  test("leaves a variable that has no value, and names it", () => {
    expect(interpolate("${GONE}:${LOST:?}", VARIABLES)).toEqual({
      text: "${GONE}:${LOST}",
      written: "${GONE}:${LOST}",
      unset: ["GONE", "LOST"],
    });
  });

  test("keeps a hidden value out of what is looked through for secrets", () => {
    expect(interpolate("u:${SECRET}@${NAME}", VARIABLES)).toMatchObject({
      text: "u:hunter2!@mail",
      written: "u:${SECRET}@mail",
    });
  });
});

describe("an env file", () => {
  const read = (text: string) =>
    Object.fromEntries(readEnvFile(text, VARIABLES, false).map(({ name, text: value }) => [name, value]));

  test.each([
    ["A=b", "b"],
    ["export A=b", "b"],
    ["  A = b  ", "b"],
    ["A=b # why", "b"],
    ["A=b#c", "b#c"],
    ["A='b # $NAME'", "b # $NAME"],
    ['A="b # $NAME" # why', "b # mail"],
    ['A="one\\ntwo"', "one\ntwo"],
    ['A="one\ntwo"', "one\ntwo"],
    ["A=${NAME}.example", "mail.example"],
    ["A=", ""],
    ["#A=c\nA=b", "b"],
    ["A=b\r\nB=c", "b"],
  ])("gives A of %j as %j", (text, value) => {
    expect(read(text)["A"]).toBe(value);
  });

  test("fills in what it has given before", () => {
    expect(read("HOST=db\nURL=postgres://${HOST}/x")["URL"]).toBe("postgres://db/x");
  });

  test("fills in nothing where its format is raw", () => {
    expect(readEnvFile("A='$NAME' # x", VARIABLES, false, true)[0]?.text).toBe("'$NAME' # x");
  });

  test("tells the line of each variable", () => {
    expect(readEnvFile("# one\nA=b\n\nC='d\ne'\nF=g", new Map(), false).map(({ line }) => line)).toEqual([
      2, 4, 6,
    ]);
  });
});
