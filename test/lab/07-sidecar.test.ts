import { afterAll, describe, expect, test } from "vitest";

import { container, docker, eventually, greets, said, tailnetAddress, up } from "./lab.ts";

const EPHEMERAL = { "tailwart:tailnet/identity": "ephemeral" };
const stalwartPid = () =>
  docker("kvm", "inspect", "--format", "{{.State.Pid}}", container("stalwart")).trim();
const restartSidecar = () => docker("kvm", "restart", container("sidecar"));

afterAll(async () => {
  expect((await up()).code).toBe(0);
}, 300_000);

describe("the sidecar restarted, persistent (lesson 13)", () => {
  test("keeps its address and Stalwart's process, and mail flows within 60 s", async () => {
    const before = { address: tailnetAddress(), pid: stalwartPid() };
    restartSidecar();
    await eventually("a greeting through the edge", 60, greets);
    expect({ address: tailnetAddress(), pid: stalwartPid() }).toEqual(before);
  });
});

describe("the sidecar restarted, ephemeral (lessons 6 and 16)", () => {
  test("is deployed as another identity", async () => {
    const run = await up(EPHEMERAL);
    expect(run.code, said(run)).toBe(0);
    await eventually("a greeting through the edge", 60, greets);
  });

  test("gets a new address, and mail flows again by itself within 60 s", async () => {
    const before = tailnetAddress();
    restartSidecar();
    await eventually(
      "a new address",
      30,
      () => /^100\./.test(tailnetAddress()) && tailnetAddress() !== before,
    );
    await eventually("a greeting through the edge", 60, greets);
  });

  test("with the watch switched off it does not: Stalwart's database connections are bound to the old address", async () => {
    const run = await up({ ...EPHEMERAL, "tailwart:stalwart/watch": false });
    expect(run.code, said(run)).toBe(0);
    await eventually("a greeting through the edge", 60, greets);
    const before = tailnetAddress();
    restartSidecar();
    await eventually(
      "a new address",
      30,
      () => /^100\./.test(tailnetAddress()) && tailnetAddress() !== before,
    );
    await expect(eventually("a greeting", 60, greets)).rejects.toThrow(/not within 60 s/);
  });
});
