import { availableParallelism } from "node:os";

import { defineConfig } from "vitest/config";

/** Tests run beside each other; what shares the lab runs one file after the other. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/policy/**/*.test.ts", "test/golden/**/*.test.ts"],
          testTimeout: 20_000,
          // What they import is loaded once for all: a third of the time. Each leaves no global
          // state behind.
          isolate: false,
          // The longest of them wait most of their time.
          maxWorkers: Math.max(4, availableParallelism()),
          // Some import the whole program first, on a machine that may be busy.
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts"],
          // Slow: each of their cases is an `up`. In CI the schema test and the lab's own deploys
          // use the same plugins.
          exclude: process.env["TAILWART_FULL"]
            ? []
            : [
                "test/engine/settings-acme.test.ts",
                "test/engine/tools-plugins.test.ts",
                "test/engine/tools-tailscale.test.ts",
              ],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // Each has an engine, ports and folders of its own, and waits half of its time.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "lab",
          include: ["test/lab/**/*.test.ts"],
          globalSetup: ["test/lab/setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
