import { expect, test } from "vitest";

import { printable } from "../../../lib/printable.ts";

test("escape sequences, carriage returns and C1 controls become marks that can be seen", () => {
  expect(printable("a\u001b[2Jb\rc\u007fd\u009be")).toBe("a\ufffd[2Jb\ufffdc\ufffdd\ufffde");
});

test("what turns the direction of writing does, too", () => {
  const controls = [0x61c, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069];
  for (const code of controls) expect(printable(`a${String.fromCodePoint(code)}b`)).toBe("a\ufffdb");
});

test("newlines, tabs and every script's letters stay as they are", () => {
  const text = "a\n\tb: Grüße, 你好, שלום → ✗ ±";
  expect(printable(text)).toBe(text);
});
