import { afterAll, describe, expect, test } from "vitest";

import { getPolicy, setPolicy } from "../../lab/tailnet/index.ts";
import { describeReach, reachProbe, readReach } from "../../verify/reach.ts";
import { container, docker, eventually, layout } from "./lab.ts";

const RELAY = { host: "mailbox.tail.test", port: 587 };
const tailnet = layout.tailnet;
const deployed = await getPolicy(tailnet);

/** What the relay looks like from Stalwart's namespace. */
const reach = () =>
  readReach(docker("kvm", "exec", container("sidecar"), "sh", "-c", reachProbe(RELAY.host, RELAY.port)));
const startedAt = () =>
  docker("kvm", "inspect", "--format", "{{.State.StartedAt}}", container("sidecar"), container("stalwart"));

/** The deployed policy with its grant to the relay turned around, or left out. */
function withGrant(kind: "opposite" | "none"): string {
  const grant = /\{ "src": \["tag:stalwart"\], "dst": \["tag:mail"\], "ip": \["tcp:587"\] \},?/;
  expect(deployed).toMatch(grant);
  return deployed.replace(
    grant,
    kind === "none" ? "" : '{ "src": ["tag:mail"], "dst": ["tag:stalwart"], "ip": ["tcp:587"] },',
  );
}

afterAll(() => setPolicy(tailnet, deployed));

describe("the tailnet denies by default (lesson 11)", () => {
  test("with only the opposite grant the relay's name resolves and the connection times out", async () => {
    await setPolicy(tailnet, withGrant("opposite"));
    await eventually("timeout", 20, () => reach() === "timeout");
  });

  test("with no grant in either direction its name does not resolve", async () => {
    await setPolicy(tailnet, withGrant("none"));
    await eventually("no such name", 20, () => reach() === "no-such-name");
  });

  test("the two are told apart in words", () => {
    const target = `The relay ${RELAY.host}:${RELAY.port}`;
    expect(describeReach("timeout", target, "stalwart")).toMatch(/no grant has stalwart as its source/);
    expect(describeReach("no-such-name", target, "stalwart")).toMatch(/does not resolve.*no grant at all/);
  });

  test("with the grant it opens within 5 s, and nothing is restarted", async () => {
    const before = startedAt();
    await setPolicy(tailnet, deployed);
    const seconds = await eventually("open", 10, () => reach() === "open");
    expect(seconds).toBeLessThanOrEqual(5);
    expect(startedAt()).toBe(before);
  });
});
