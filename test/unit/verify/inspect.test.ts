import { expect, test } from "vitest";

import { readInspected } from "../../../verify/inspect.ts";

const container = (Name: string, State: object) => ({ Name, State, Config: { Image: "x@sha256:1" } });
const RUNS = { Running: true, Paused: false, Error: "", StartedAt: "2026-11-28T02:55:51Z" };

test("containers that there are count, and one that is missing is no trouble of Docker's", () => {
  const stdout = JSON.stringify([
    container("/anchor", RUNS),
    container("/sidecar", { ...RUNS, Paused: true }),
  ]);
  expect(readInspected(stdout, "Error: No such container: stalwart\n")).toMatchObject({
    states: [
      { name: "anchor", running: true, paused: false, health: "", image: "x@sha256:1" },
      { name: "sidecar", running: false, paused: true },
    ],
    trouble: "",
  });
  expect(readInspected("[]\n", "Error: No such container: a\nError: No such container: b\n").trouble).toBe(
    "",
  );
});

test("a host that cannot be asked is told in its own words", () => {
  const words = "error during connect: command [ssh -l root kvm docker system dial-stdio] has exited";
  for (const stdout of ["", "[]\n"])
    expect(readInspected(stdout, `${words}\n`)).toEqual({ states: [], trouble: words });
  expect(readInspected("", "")).toEqual({ states: [], trouble: "no answer" });
});
