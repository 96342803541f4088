import { describe, expect, test } from "vitest";

import { lineDiff } from "../../../../cli/review/lines.ts";

const added = (diff = "") => diff.split("\n").filter((line) => line.startsWith("+"));

describe("the difference of two texts", () => {
  test("is a unified diff with three lines around it", () => {
    const lines = Array.from({ length: 20 }, (_, n) => `line ${n}`);
    const next = lines.with(10, "another");
    const shown = lineDiff(lines.join("\n"), next.join("\n"))?.split("\n");
    expect(shown).toHaveLength(1 + 3 + 2 + 3);
    expect(shown?.[0]).toBe("@@ -8,7 +8,7 @@");
    expect(shown).toContain("-line 10");
    expect(shown).toContain("+another");
  });

  test("of single lines is none: they are read side by side", () => {
    expect(lineDiff("a", "b")).toBeUndefined();
    expect(lineDiff('{"a":1}', '{"a":2}')).toBeUndefined();
  });

  test("of one long line of JSON is that of its values, comments kept", () => {
    const policy = (port: number) =>
      `{"grants": [/* ours */ {"src": ["tag:stalwart"], "dst": ["tag:mail"], "ip": ["tcp:${port}"]}, {"src": ["*"], "dst": ["*"], "ip": ["*"]},]} // end`;
    const diff = lineDiff(policy(587), policy(2525));
    expect(added(diff)).toEqual(['+        "tcp:2525"']);
    expect(diff).not.toContain('"src": ["*"]');
  });

  test("of what only looks like JSON is that of its lines", () => {
    expect(added(lineDiff("[ -s a ] || exit\nb", "[ -s a ] || exit\nc"))).toEqual(["+c"]);
  });

  test("shows blanks at a line's end, which nobody would see", () => {
    expect(added(lineDiff("a\nb", "a\r\nb"))).toEqual(["+a\\r"]);
    expect(added(lineDiff("a\nb", "a \nb"))).toEqual(["+a·"]);
  });

  test("that is long is cut, and says how much is left", () => {
    const many = Array.from({ length: 500 }, (_, n) => `line ${n}`).join("\n");
    expect(lineDiff("", many)).toMatch(/… \d{3} more lines$/);
  });

  test("of texts that are the same is empty", () => {
    expect(lineDiff("a\nb", "a\nb")).toBe("");
  });
});
