// Two stages at once, as when the crate is built beside the Go modules.
import { describe, expect, it, vi } from "vitest";
import { stage } from "../../../tools/progress.mjs";

/** What is written to a terminal of 80 columns. */
function terminal() {
  const written: string[] = [];
  const out = { isTTY: true, columns: 80, write: (text: string) => written.push(text) };
  return { written, out: out as unknown as NodeJS.WriteStream };
}

describe("two stages at once", () => {
  it("share a terminal's line in turns, and the one that is left has it to itself", () => {
    vi.useFakeTimers({ now: 0 });
    try {
      const { written, out } = terminal();
      const [go, crate] = [stage("go", out), stage("crate", out)];
      vi.advanceTimersByTime(12_000);
      const shown = written.map((text) => (text.includes("crate") ? "crate" : "go"));
      expect(shown).toHaveLength(12); // one line a second, not two that overwrite each other
      expect(shown.filter((each) => each === "go")).toHaveLength(6);
      crate.end("built");
      written.length = 0;
      vi.advanceTimersByTime(6_000);
      expect(written.every((text) => text.includes("go"))).toBe(true);
      expect(written).toHaveLength(6);
      go.end();
    } finally {
      vi.useRealTimers();
    }
  });
});
