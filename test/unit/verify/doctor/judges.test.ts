import { expect, test } from "vitest";

import { judgeClock, judgeDisk, readFacts } from "../../../../verify/checks/machines.ts";
import { judgeKey } from "../../../../verify/checks/node.ts";
import { judgeRow } from "../../../../verify/checks/postgres-login.ts";
import { judgeBans, judgeQueue } from "../../../../verify/checks/server.ts";
import { readNodeStatus } from "../../../../verify/doctor/node-status.ts";

const NOW = new Date("2026-06-01T12:00:00Z");
const minutes = (count: number) => new Date(NOW.getTime() + count * 60_000);

test("a host's clock is right within what the question took and its whole seconds", () => {
  const asked = { before: NOW.getTime(), after: NOW.getTime() + 800 };
  const second = NOW.getTime() / 1000;
  expect(judgeClock({ ...asked, clock: second })).toMatchObject({ state: "ok" });
  expect(judgeClock({ ...asked, clock: second + 1 })).toMatchObject({ state: "ok" });
  expect(judgeClock({ ...asked, clock: second + 6 })).toMatchObject({
    state: "warn",
    seen: expect.stringMatching(/5\.2 s ahead/),
  });
  expect(judgeClock({ ...asked, clock: second - 3600 })).toMatchObject({
    state: "fail",
    seen: expect.stringMatching(/3599\.0 s behind/),
  });
});

test("clock and disk are read from what BusyBox prints, and what is neither is an error", () => {
  const facts = readFacts("1795835482\noverlay              264212084  53314480  42186784  56% /\n");
  expect(facts).toEqual({ clock: 1795835482, diskUsed: 56, diskFree: 42186784 });
  expect(judgeDisk(facts)).toMatchObject({
    state: "ok",
    seen: expect.stringMatching(/56 % full, 40\.2 GB free/),
  });
  expect(judgeDisk({ ...facts, diskUsed: 93 })).toMatchObject({ state: "warn" });
  expect(judgeDisk({ ...facts, diskUsed: 100 })).toMatchObject({ state: "fail" });
  expect(() => readFacts("OCI runtime exec failed")).toThrow(/does not tell its clock/);
});

test("a node's key is told with the node's age, and weeks before it ends", () => {
  const self = { DNSName: "stalwart.tail.test.", Tags: ["tag:stalwart"], TailscaleIPs: ["100.64.0.4"] };
  const of = (more: object) =>
    judgeKey(
      readNodeStatus(JSON.stringify({ Self: { ...self, Created: "2026-03-01T00:00:00Z", ...more } })),
      NOW,
    );
  expect(of({})).toEqual({ state: "ok", seen: "the node is 92 days old, and its key does not expire" });
  expect(of({ KeyExpiry: "2026-09-01T12:00:00Z" })).toMatchObject({
    state: "ok",
    seen: expect.stringMatching(/in 92 days/),
  });
  expect(of({ KeyExpiry: "2026-06-08T12:00:00Z" })).toMatchObject({
    state: "warn",
    seen: expect.stringMatching(/in 7 days/),
  });
  expect(of({ KeyExpiry: "2026-05-31T00:00:00Z", Expired: true })).toMatchObject({ state: "fail" });
});

test("Postgres is judged by what it lets the role do", () => {
  const row = (...changes: [number, string][]) => {
    const columns = ["f", "off", "9191 kB", "7", "97", "15.18"];
    for (const [at, value] of changes) columns[at] = value;
    return judgeRow(columns);
  };
  expect(row()).toEqual({
    state: "ok",
    seen: "Postgres 15.18 lets Stalwart's role in: 9191 kB, 7 of 97 connections",
  });
  expect(row([0, "t"])).toMatchObject({ state: "fail", seen: expect.stringMatching(/standby/) });
  expect(row([1, "on"])).toMatchObject({ state: "fail", seen: expect.stringMatching(/read-only/) });
  expect(row([3, "90"])).toMatchObject({ state: "warn", seen: expect.stringMatching(/90 of 97/) });
});

test("a queue is judged by its oldest message and by what nobody has worked on", () => {
  const message = (since: number, due: number | undefined, last = "Connection refused") => ({
    since: minutes(since),
    due: due === undefined ? undefined : minutes(due),
    to: "bob@example.net",
    last,
  });
  expect(judgeQueue([], NOW, "logs")).toEqual({ state: "ok", seen: "the queue is empty" });
  expect(judgeQueue([message(-5, 2)], NOW, "logs")).toMatchObject({
    state: "ok",
    seen: "1 in the queue, the oldest for 5 minutes: bob@example.net: Connection refused",
  });
  expect(judgeQueue([message(-5, 2), message(-200, 40, "")], NOW, "logs")).toMatchObject({
    state: "warn",
    seen: expect.stringMatching(/the oldest for 3 hours: bob@example\.net: not tried yet/),
  });
  expect(judgeQueue([message(-200, -60), message(-5, 2)], NOW, "logs")).toMatchObject({
    state: "fail",
    seen: expect.stringMatching(/1 are overdue/),
  });
});

test("a ban counts where it hits the stack itself", () => {
  const ours = { "203.0.113.20": "the edge's public address" };
  expect(judgeBans([], ours, "--stack prod")).toMatchObject({ state: "ok" });
  expect(judgeBans(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"], ours, "--stack prod")).toEqual({
    state: "ok",
    seen: "4 are banned, and none of ours: 192.0.2.1, 192.0.2.2, 192.0.2.3, …",
  });
  expect(judgeBans(["192.0.2.1", "203.0.113.20"], ours, "--stack prod")).toMatchObject({
    state: "fail",
    seen: "Stalwart has banned 203.0.113.20, the edge's public address",
    fix: "npm run doctor -- --stack prod --unban 203.0.113.20",
  });
});
