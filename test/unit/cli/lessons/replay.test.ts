import { describe, expect, test } from "vitest";

import { describeDialled, readDialled } from "../../../../cli/lessons/dial.ts";
import type { Bench } from "../../../../cli/lessons/bench.ts";
import { chosen } from "../../../../cli/lessons/command.ts";
import type { Lesson, Missing, Seen } from "../../../../cli/lessons/lesson.ts";
import { type Replay, replay } from "../../../../cli/lessons/replay.ts";
import { describeNoticed, listenerOf } from "../../../../cli/lessons/report.ts";
import type { Listener } from "../../../../cli/lessons/stage.ts";

/** A bench without a lab: notes what is deployed. */
function benchThat(refusing: string[] = ["some-policy"]) {
  const deployed: string[] = [];
  const bench = {
    deploy: async (overrides: object) => void deployed.push(JSON.stringify(overrides)),
    refusals: async () => refusing,
  };
  return { bench: bench as unknown as Bench, deployed };
}

const nothing = () => undefined;
const QUIET: Listener = { lesson: nothing, part: nothing, begins: nothing, ended: nothing };

/** A lesson that sees this without its guard and with it. */
const lessonSeeing = (without: Seen["is"], held: Seen["is"], more: Partial<Lesson> = {}): Lesson => ({
  number: 7,
  title: "A lesson",
  preventedBy: "a guard",
  refusedBy: ["some-policy"],
  async play(half) {
    await half.does("something is stopped", "kvm: stop", async () => undefined);
    await half.sees({ from: "edge: look", outage: "silence", held: "an answer" }, async () => ({
      words: "seen",
      is: half.guard ? held : without,
    }));
  },
  ...more,
});

/** Replays one lesson. */
async function only(bench: Bench, lesson: Lesson, options?: { cut: Missing }): Promise<Replay> {
  const [played] = await replay(bench, [lesson], QUIET, options);
  if (!played) throw new Error("nothing was played");
  return played;
}

const wrongOf = async (lesson: Lesson, refusing?: string[]) =>
  (await only(benchThat(refusing).bench, lesson)).wrong;

describe("a lesson", () => {
  test("is green when the outage came without its guard, and not with it", async () => {
    const { bench, deployed } = benchThat();
    const { wrong, parts } = await only(bench, lessonSeeing("outage", "held"));
    expect(wrong).toBeUndefined();
    expect(deployed).toEqual(['{"tailwart:withoutGuards":{"7":true}}', "{}"]);
    expect(parts.map(({ part }) => part)).toEqual(["refused", "without", "with"]);
  });

  test("is red without the symptom in the broken half, or with it in the other", async () => {
    for (const seen of ["held", "neither"] as const)
      expect(await wrongOf(lessonSeeing(seen, "held"))).toMatch(/the outage was not reproduced/);
    expect(await wrongOf(lessonSeeing("outage", "outage"))).toMatch(/the outage came with the guard/);
    expect(await wrongOf(lessonSeeing("outage", "neither"))).toMatch(/does not/);
  });

  test("is red when none of its policies refuses what it deploys, or nobody looked", async () => {
    expect(await wrongOf(lessonSeeing("outage", "held"), ["another"])).toMatch(/no policy .* another/);
    expect(await wrongOf(lessonSeeing("outage", "held", { play: async () => undefined }))).toMatch(
      /nothing was looked at/,
    );
  });

  test("is red when a step fails, and puts back what it has changed all the same", async () => {
    const done: string[] = [];
    const play = async () => Promise.reject(new Error("docker is gone"));
    const restore = async () => void done.push("restored");
    expect(await wrongOf(lessonSeeing("outage", "held", { play, restore }))).toMatch(/docker is gone/);
    expect(done).toEqual(["restored"]);
  });

  test("is noticed when its guard is cut out of the half that should hold", async () => {
    const { bench, deployed } = benchThat();
    const cut = await only(bench, lessonSeeing("outage", "held"), { cut: "from the config" });
    expect(cut.wrong).toMatch(/the outage came with the guard/);
    expect(describeNoticed(cut)).toMatch(
      /lesson 7 is red without its guard, noticed by\n +- edge: look: seen/,
    );
    const blind = await only(bench, lessonSeeing("held", "held"), { cut: "from the config" });
    expect(describeNoticed(blind)).toMatch(/no look has noticed .*all hold/);
    expect(new Set(deployed)).toEqual(new Set(['{"tailwart:withoutGuards":{"7":true}}']));
  });

  test("is noticed when its guard is cut out of the code, with the config as it is", async () => {
    const { bench, deployed } = benchThat();
    const cut = await only(bench, lessonSeeing("held", "outage"), { cut: "from the code" });
    expect(cut.wrong).toMatch(/the outage came with the guard/);
    expect(cut.parts.map(({ part }) => part)).toEqual(["with"]);
    expect(deployed).toEqual(["{}"]);
  });

  test("is told of in lines of at most 80 columns, as it goes on", async () => {
    const lines: string[] = [];
    const listener = listenerOf((text) => lines.push(...text.split("\n")));
    await replay(benchThat().bench, [lessonSeeing("outage", "held")], listener);
    expect(lines.join("\n")).toMatch(/without the guard[^]*… edge: look[^]*expected {2}silence\n +seen/);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  });
});

describe("lessons that share a deploy", () => {
  const other = (more: Partial<Lesson> = {}) =>
    lessonSeeing("outage", "held", { number: 9, refusedBy: ["other-policy"], ...more });
  const both = async (lessons: Lesson[], refusing = ["some-policy", "other-policy"]) => {
    const { bench, deployed } = benchThat(refusing);
    return { deployed, replays: await replay(bench, lessons, QUIET) };
  };

  test("are deployed and asked about at once, and the record of each says so", async () => {
    const { deployed, replays } = await both([lessonSeeing("outage", "held"), other()]);
    expect(deployed).toEqual(['{"tailwart:withoutGuards":{"7":true,"9":true}}', "{}"]);
    expect(replays.map(({ wrong }) => wrong)).toEqual([undefined, undefined]);
    const steps = (replays[1]?.parts ?? []).map(({ steps: [first] }) => [first?.what, first?.with]);
    expect(steps).toEqual([
      ["operator: pulumi preview --policy-pack policies, without the guards of lessons 7 and 9", [7]],
      ["without the guards of lessons 7 and 9", [7]],
      ["with the guards of lessons 7 and 9", [7]],
    ]);
  });

  test("need each a policy of its own that refuses it", async () => {
    const { replays } = await both([lessonSeeing("outage", "held"), other()], ["some-policy"]);
    expect(replays.map(({ wrong }) => wrong)).toEqual([
      undefined,
      expect.stringMatching(/no policy .* refuses/),
    ]);
  });

  test("go on where one of them fails, which is put back at once and played no further", async () => {
    const done: string[] = [];
    const play = async () => Promise.reject(new Error("docker is gone"));
    const restore = async () => void done.push("restored");
    const { deployed, replays } = await both([lessonSeeing("outage", "held", { play, restore }), other()]);
    expect(replays[0]?.wrong).toMatch(/docker is gone/);
    expect(replays[1]?.wrong).toBeUndefined();
    expect(replays[0]?.parts.map(({ part }) => part)).toEqual(["refused", "without"]);
    expect(done).toEqual(["restored"]);
    expect(deployed).toHaveLength(2);
  });

  test("are all red where the deploy fails", async () => {
    const { bench } = benchThat(["some-policy", "other-policy"]);
    Object.assign(bench, { deploy: async () => Promise.reject(new Error("pulumi up failed")) });
    const replays = await replay(bench, [lessonSeeing("outage", "held"), other()], QUIET);
    for (const { wrong } of replays) expect(wrong).toMatch(/pulumi up failed/);
  });
});

test("lessons are named by their numbers", () => {
  const all = [lessonSeeing("outage", "held", { number: 6 }), lessonSeeing("outage", "held")];
  expect(chosen([], all).map(({ number }) => number)).toEqual([6, 7]);
  expect(chosen(["6"], all).map(({ number }) => number)).toEqual([6]);
  expect(() => chosen(["17"], all)).toThrow(/"17" is no lesson with a replay/);
});

describe("what was dialled", () => {
  const read = (printed: string, address = "192.0.2.1") => readDialled(address, printed);

  test("has its address, family, errno and time", () => {
    const words = (printed: string, address?: string) => describeDialled([read(printed, address)]);
    expect(words("1 4 bash: connect: Connection refused")).toBe(
      "192.0.2.1 (IPv4): ECONNREFUSED (111) after 4 ms",
    );
    expect(words("1 0 bash: connect: Network is unreachable", "2001:db8::1")).toBe(
      "2001:db8::1 (IPv6): ENETUNREACH (101) after 0 ms",
    );
    expect(words("124 5006 ")).toBe("192.0.2.1 (IPv4): no answer after 5006 ms");
    expect(words("0 29 220 mail at your service\r")).toContain('open, "220 mail at your service"');
  });

  test("is told apart by how it failed", () => {
    for (const closed of ["3 2 ", "141 9 "]) expect(read(closed).outcome).toBe("closed");
    expect(read("1 9 bash: connect: Connection timed out")).toMatchObject({ errno: 110, outcome: "timeout" });
    expect(read("1 9 bash: something else").outcome).toBe("failed");
    expect(describeDialled([])).toBe("no such name");
  });
});
