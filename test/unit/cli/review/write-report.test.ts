import { expect, test } from "vitest";

import { describeReports } from "../../../../cli/review/write-report.ts";
import type { Report } from "../../../../cli/review/model.ts";
import { EMPTY } from "./fixtures.ts";

const shown = (more: Partial<Report>) =>
  describeReports([{ ...EMPTY, ...more }], { markdown: "m", sarif: "s" });

test("a terminal obeys nothing of what a change's code says, names or holds", () => {
  const wipe = "\u001b[2J\u202e\u0007";
  const urn = `urn:pulumi:prod::tailwart::docker:index/container:Container::a${wipe}`;
  const text = shown({
    problems: [{ severity: "error", message: `one${wipe}\n\ttwo` }],
    base: { ref: "main", commit: "c0ffee", mended: [] },
    changes: [
      {
        op: "update",
        urn,
        type: "docker:index/container:Container",
        properties: [{ path: `envs${wipe}`, replaces: false, lines: `-a${wipe}\n+b${wipe}` }],
      } as never,
    ],
  });
  expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(text).toContain("error: one\ufffd[2J\ufffd\ufffd\n\ttwo");
  expect(text).toContain("      +b\ufffd[2J");
});
