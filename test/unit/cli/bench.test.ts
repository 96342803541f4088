import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";
import { parse } from "yaml";

import { describe as inWords, exceeded, type Figures, sample } from "../../../cli/bench/figures.ts";
import { describeDomains, domainFigures, exceededByDomains } from "../../../cli/bench/domain-figures.ts";
import { configWith } from "../../../cli/bench/domains.ts";
import { pluginStarts } from "../../../cli/bench/plugin-starts.ts";
import { describePolicies, exceededByPolicies, policyFigures } from "../../../cli/bench/policy-figures.ts";
import { resourcesOf } from "../../../cli/bench/resources.ts";
import { upFigures } from "../../../cli/bench/up.ts";
import { componentArgs } from "../../../config/component-args.ts";
import { loadConfig } from "../../../config/load.ts";
import { toRegistryObjects } from "../../../lib/desired-state/registry/objects.ts";

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
  const times = (without: number[], ...more: number[]) => ({
    withoutPack: without,
    withPack: without.map((took, turn) => took + (more[turn] ?? 0)),
  });
  const figures = (at20: number, at200: number) =>
    policyFigures(
      new Map([
        [20, times([2000], at20)],
        [200, times([3000], at200)],
      ]),
    );

  test("is the median of the differences within each turn, whatever the turns themselves took", () => {
    const [small] = policyFigures(new Map([[20, times([2000, 9000, 2200], 400, 600, 5000)]]));
    expect(small).toMatchObject({ resources: 20, difference: 600 });
    expect(small?.share).toBeCloseTo(600 / 2200);
    expect(small?.withPack.runs).toBe(3);
  });

  test("exceeds its bound from just above a share at 20 resources on", () => {
    expect(exceededByPolicies(figures(500, 2480))).toEqual([]);
    expect(exceededByPolicies(figures(521, 0))).toEqual([
      "the pack makes the preview of 20 resources 26 % longer, more than 25 %",
    ]);
  });

  test("fits on a terminal of 80 columns, with a row for each size", () => {
    const lines = describePolicies(figures(123_456, 123_456)).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.filter((line) => / %$/.test(line) && /^ +\d+ /.test(line))).toHaveLength(2);
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

describe("what a thousand domains cost", () => {
  const figures = (one: number[], many: number[]) => domainFigures(1000, [one, many]);

  test("is the median of the ratios within each turn, whatever the turns themselves took", () => {
    const { ratio, one, many } = figures([1000, 9000, 2000], [3000, 9000, 5000]);
    expect(ratio).toBe(2.5);
    expect([one.median, many.median]).toEqual([2000, 5000]);
  });

  test("exceeds its bound from just above twice that of one", () => {
    expect(exceededByDomains(figures([1000], [2000]))).toEqual([]);
    expect(exceededByDomains(figures([1000], [2010]))).toEqual([
      "the preview of 1000 domains takes 2.01 × that of one, more than 2",
    ]);
  });

  test("fits on a terminal of 80 columns, with a row for each size", () => {
    const lines = describeDomains(figures([123_456], [1_234_567])).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.filter((line) => / domains? /.test(line))).toHaveLength(2);
  });

  /** Seconds were spent here on a loop in a loop; the rest of a preview is the engine's. */
  test("is little in the program itself: all that is worked out from the config", () => {
    const review = readFileSync(join(import.meta.dirname, "../../../Pulumi.review.yaml"), "utf8");
    const { config } = parse(configWith(review, 1000)) as { config: Record<string, unknown> };
    const secrets = { "tailwart:postgresPassword": "a-password", "tailwart:dnsSecret": "YSBrZXk=" };
    const raw = Object.fromEntries(
      Object.entries({ ...config, ...secrets }).map(([key, value]) => [
        key,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    );
    const start = performance.now();
    const { dns, settings } = componentArgs(loadConfig(raw, (key) => key in secrets).config);
    expect(Object.keys(dns.written?.records ?? {}).length).toBeGreaterThan(20_000);
    expect(Object.keys(toRegistryObjects(settings)).length).toBeGreaterThan(2_000);
    // Half a second, and ten times as much where ten programs run.
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
