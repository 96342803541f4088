import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";

import { loop, millisecondsOf } from "../../../../cli/doctor/loop.ts";
import { metricsOf } from "../../../../cli/doctor/metrics.ts";
import { examination } from "../../../../verify/doctor/report.ts";

const FOUND = examination(
  'stack "a\\b"',
  [
    { id: "postgres", state: "fail", from: "namespace", lesson: "docs/lessons/01.md", seen: "away", ms: 250 },
    { id: "edge", state: "ok", from: "edge", lesson: "docs/lessons/06.md", seen: "fine", ms: 40 },
  ],
  2.5,
);

test("metrics are a state set for each check, with what Prometheus wants escaped", () => {
  const text = metricsOf(FOUND, new Date("2026-06-01T00:00:00Z"));
  const of = (check: string, state: string) =>
    new RegExp(
      `^tailwart_check_state\\{what="stack \\\\"a\\\\\\\\b\\\\"",check="${check}",from="\\w+",state="${state}"\\} (\\d)$`,
      "m",
    ).exec(text)?.[1];
  expect([of("postgres", "fail"), of("postgres", "ok"), of("edge", "ok"), of("edge", "unknown")]).toEqual([
    "1",
    "0",
    "1",
    "0",
  ]);
  expect(text).toMatch(/^tailwart_check_seconds\{.*check="postgres".*\} 0\.25$/m);
  expect(text).toMatch(/^tailwart_doctor_timestamp_seconds\{.*\} 1780272000$/m);
  // Every line is a comment or a sample, and the last one ends.
  for (const line of text.trimEnd().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+\{.+\} [\d.]+)$/);
  expect(text.endsWith("\n")).toBe(true);
});

test("metrics are served on loopback from the first look on, until the loop is stopped", async () => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  const stop = new AbortController();
  let looked: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (looked = resolve));
  const look = async () => {
    await first;
    return FOUND;
  };
  const lines: string[] = [];
  const running = loop(look, { every: 10_000, metrics: port }, (line) => lines.push(line), stop.signal);
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  await expect.poll(() => status("/metrics").catch(() => 0)).toBe(503);
  looked();
  await expect.poll(() => status("/metrics")).toBe(200);
  expect(await status("/")).toBe(404);
  stop.abort();
  await running;
  expect(lines).toEqual(["fail: postgres (1 fail, 1 ok, in 2.5 s)"]);
});

test("times are written with a unit, and none is shorter than 10 s", () => {
  expect(["10s", "5m", "1h", "9s", "5", "m", "1d"].map(millisecondsOf)).toEqual([
    10_000,
    300_000,
    3_600_000,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
