import { describe, expect, test } from "vitest";

import { describe as inWords, exceeded, type Figures, sample } from "../../../cli/bench/figures.ts";
import { pluginStarts } from "../../../cli/bench/plugin-starts.ts";
import {
  describePolicies,
  exceededByPolicies,
  policyFigures,
  type Times,
} from "../../../cli/bench/policy-figures.ts";
import { resourcesOf } from "../../../cli/bench/resources.ts";
import { upFigures } from "../../../cli/bench/up.ts";

const figures = (up: number, preview: number): Figures => ({
  lab: "bench",
  upFromNothing: upFigures([{ total: up * 1000, stages: [{ title: "pulumi up", took: up * 900 }] }]),
  upAgain: upFigures([{ total: 9_000, stages: [] }]),
  preview: {
    withPack: sample([preview * 1000]),
    withoutPack: sample([preview * 800]),
    emptyProgram: sample([1000]),
    ratio: preview,
    shares: { pack: preview * 200, programAndProviders: preview * 800 - 1000 },
    pluginStarts: [{ plugin: "docker", median: 100 }],
  },
});

describe("the bench's figures", () => {
  test("are medians: the middle one, or the mean of the two in the middle", () => {
    expect(sample([3, 1, 20])).toEqual({ median: 3, min: 1, max: 20, runs: 3 });
    expect(sample([4, 1, 2, 20]).median).toBe(3);
    expect(() => sample([])).toThrow(RangeError);
  });

  test("exceed a bound from just above it on", () => {
    expect(exceeded(figures(150, 2.5))).toEqual([]);
    expect(exceeded(figures(150.1, 2.5))).toEqual(["up from nothing takes 150.1 s, more than 150 s"]);
    expect(exceeded(figures(1, 2.51))).toEqual([
      "the preview takes 2.51 × that of an empty program, more than 2.5",
    ]);
  });

  test("say so when `up` from nothing was left out, and bind nothing then", () => {
    const { upAgain, preview } = figures(1, 2);
    expect(exceeded({ lab: "mine", upAgain, preview })).toEqual([]);
    expect(inWords({ lab: "mine", upAgain, preview })).toContain(
      'left out, the lab "mine" was running before',
    );
  });

  test("fit on a terminal of 80 columns", () => {
    const wide = inWords(figures(123.4, 2.4))
      .split("\n")
      .filter((line) => line.length > 80);
    expect(wide).toEqual([]);
  });
});

describe("starts of plugins in the engine's log", () => {
  const line = (ms: number, msg: string) =>
    JSON.stringify({
      time: `2026-01-01T00:00:00.${String(ms).padStart(3, "0")}123456Z`,
      level: "INFO",
      msg,
      v: 7,
    });
  const check = (provider: string, name: string) =>
    `ProviderRegistry.Check(urn:pulumi:lab::tailwart::pulumi:providers:${provider}::${name}) executing (#olds=0,#news=0)`;
  const log = [
    "Previewing update (lab):",
    line(1, check("docker", "kvm")),
    `@ previewing update....${line(100, check("docker", "kvm"))}`,
    line(220, "Handshake: not supported by '/h/resource-docker-v5.2.0/pulumi-resource-docker'"),
    line(300, check("docker", "edge-box")),
    line(400, "Handshake: not supported by '/h/resource-docker-v5.2.0/pulumi-resource-docker'"),
    line(500, check("tailwart", "mail")),
    line(700, "Handshake: not supported by '/project/provider/pulumi-resource-tailwart'"),
    line(710, check("tailscale", "default_0_29_1")),
    line(770, "Handshake: success [/h/resource-tailscale-v0.29.1/pulumi-resource-tailscale]"),
  ].join("\n");

  test("are told apart by plugin and process, from the last check to the handshake", () => {
    expect(pluginStarts([log])).toEqual([
      { plugin: "docker", median: 120 },
      { plugin: "docker (process 2)", median: 100 },
      { plugin: "tailwart", median: 200 },
      { plugin: "tailscale", median: 60 },
    ]);
  });

  test("are none in a log without any", () => expect(pluginStarts(["", "Previewing"])).toEqual([]));
});

describe("what the policy pack costs", () => {
  const SILENT = 100;
  const times = (without: number[], ...more: number[]) => ({
    withoutPack: without,
    withPack: without.map((took, turn) => took + (more[turn] ?? 0)),
    withSilent: without.map((took) => took + SILENT),
    silentAnswers: without.map(() => SILENT),
    answers: without.map((_, turn) => more[turn] ?? 0),
  });
  const figures = (at20: number, at200: number, at2000: number) =>
    policyFigures(
      new Map([
        [20, times([2000], at20)],
        [200, times([3000], at200)],
        [2000, times([12_000], at2000)],
      ]),
    );

  test("is the median of the differences within each turn, whatever the turns themselves took", () => {
    const { sizes } = policyFigures(
      new Map([
        [20, times([2000, 9000, 2200], 400, 600, 5000)],
        [120, times([3000], 700)],
      ]),
    );
    expect(sizes[0]).toMatchObject({ resources: 20, difference: 600 });
    // What any pack takes to answer is not the policies'.
    expect(sizes[0]?.policies).toBe(600 - SILENT);
    expect(sizes[0]?.share).toBeCloseTo(600 / 2200);
    expect(sizes[0]?.withPack.runs).toBe(3);
  });

  test("is told by the line through all sizes: so much once, and so much for each resource", () => {
    const straight = figures(SILENT + 150 + 20 * 0.5, SILENT + 150 + 200 * 0.5, SILENT + 150 + 2000 * 0.5);
    expect(straight.each).toBeCloseTo(0.5);
    expect(straight.once).toBeCloseTo(150);
    expect(() => policyFigures(new Map([[20, times([2000], 500)]]))).toThrow("a slope needs two sizes");
  });

  test("shows how much longer each resource makes a preview, also with a pack that says nothing, which is not bound", () => {
    const at = (size: number): [number, Times] => [
      size,
      {
        withoutPack: [1000],
        withSilent: [1050 + 2 * size],
        withPack: [1100 + 3 * size],
        silentAnswers: [0],
        answers: [0.5 * size],
      },
    ];
    const longer = policyFigures(new Map([at(20), at(2000)]));
    expect(describePolicies(longer)).toContain(
      "previews, by such a line: 3.00 ms a resource longer, silent pack 2.00",
    );
    expect(exceededByPolicies(longer)).toEqual([]);
  });

  test("exceeds a bound from just above it on: a share at 20 resources, milliseconds for each", () => {
    expect(exceededByPolicies(figures(500, 680, 2480))).toEqual([]);
    expect(exceededByPolicies(figures(521, 710, 2600))).toEqual([
      "the pack makes the preview of 20 resources 26 % longer, more than 25 %",
      "the policies take 1.05 ms for each resource, more than 1 ms",
    ]);
  });

  test("fits on a terminal of 80 columns, with a row for each size", () => {
    const lines = describePolicies(figures(123_456, 123_456, 123_456)).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.filter((line) => / s$/.test(line) && /^ +\d+ /.test(line))).toHaveLength(3);
  });

  test("is measured on resources of each kind, with names of their own, some with a Caddy JSON", () => {
    const resources = resourcesOf(200);
    expect(resources).toHaveLength(200);
    expect(new Set(resources.map(({ name }) => name)).size).toBe(200);
    const count = (kind: string) => resources.filter((resource) => resource.kind === kind).length;
    expect(["Container", "Volume", "Network", "Command"].map(count)).toEqual([120, 40, 20, 20]);
    const caddy = resources.filter((resource) => JSON.stringify(resource.args).includes("layer4"));
    expect(caddy).toHaveLength(20);
  });
});
