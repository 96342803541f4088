import { expect, test } from "vitest";

import { counts, examination, exitCode, report } from "../../../../verify/doctor/report.ts";
import type { Row } from "../../../../verify/doctor/examine.ts";

const row = (id: string, state: Row["state"], more: Partial<Row> = {}): Row => ({
  id,
  state,
  from: "namespace",
  lesson: "docs/lessons/01.md",
  seen: `${id} was seen`,
  ms: 5,
  ...more,
});

const ROWS = [
  row("kvm-docker", "ok", { from: "operator" }),
  row("stores", "skip"),
  row("clock", "warn", { advice: "the edge is 3 s ahead" }),
  row("postgres", "fail", { fix: "systemctl start postgresql", seen: `${"long words ".repeat(14)}end` }),
  row("sidecar", "unknown", { because: "postgres", seen: "not asked, since postgres does not hold" }),
  row("stalwart", "unknown", { because: "postgres", seen: "not asked, since postgres does not hold" }),
  row("queue", "unknown", { seen: "no answer within 5 s" }),
];

test("causes come first, with what was not asked for each, and lines fit a terminal", () => {
  const text = report(examination("stack prod", ROWS, 3.21));
  expect(text).toMatchInlineSnapshot(`
    "✗ postgres    long words long words long words long words long words long words
                  long words long words long words long words long words long words
                  long words long words end
        from  Stalwart's network namespace
        fix   systemctl start postgresql
        why   docs/lessons/01.md
        left  not asked before this holds: sidecar, stalwart

    ? queue       no answer within 5 s
        from  Stalwart's network namespace
        why   docs/lessons/01.md

    ! clock       clock was seen
        from  Stalwart's network namespace
        note  the edge is 3 s ahead
        why   docs/lessons/01.md

    ✓ kvm-docker  kvm-docker was seen
    - stores      stores was seen

    stack prod: 1 fail, 3 unknown, 1 warn, 1 ok, 1 skip, in 3.2 s"
  `);
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("ok, warn, fail, skip and unknown are counted apart", () => {
  expect(counts(ROWS)).toEqual({ fail: 1, unknown: 3, warn: 1, ok: 1, skip: 1 });
});

test("a failure and what cannot be told end with 1, warnings and what the stack has not with 0", () => {
  const code = (...states: Row["state"][]) =>
    exitCode(
      examination(
        "x",
        states.map((state, i) => row(String(i), state)),
        1,
      ),
    );
  expect([code("ok", "skip"), code("ok", "warn"), code("ok", "unknown"), code("warn", "fail")]).toEqual([
    0, 0, 1, 1,
  ]);
});

test("what a server says cannot steer the terminal", () => {
  const text = report(examination("x", [row("edge", "fail", { seen: "it said \u001b[2Jhello\u202e" })], 1));
  expect(text).not.toMatch(/[\u001b\u202e]/);
});
