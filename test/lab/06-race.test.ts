import { afterAll, describe, expect, test } from "vitest";

import { startPostgres, stopPostgres } from "../../lab/postgres.ts";
import { container, docker, eventually, facts, greets, layout, said, up } from "./lab.ts";

afterAll(() => startPostgres(layout, { force: true }));

const health = () =>
  docker("kvm", "inspect", "--format", "{{.State.Health.Status}}", container("sidecar")).trim();
const stalwartLog = (since: string) => docker("kvm", "logs", "--since", since, container("stalwart"));

/** Listening TCP sockets in the shared namespace, by port. */
function listeners(): number[] {
  const table = docker("kvm", "exec", container("sidecar"), "cat", "/proc/net/tcp", "/proc/net/tcp6");
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A")
    .map((fields) => Number.parseInt(fields[1]?.split(":").at(-1) ?? "", 16));
}

describe("Postgres down at the start (lesson 1)", () => {
  test("up fails within 90 s, naming Postgres and its host; the gate holds and nothing listens", async () => {
    await stopPostgres(layout);
    const since = new Date().toISOString();
    // A new Stalwart container, as a change of its config would make.
    const replace = ["--replace", urn("docker:index/container:Container::mail-stalwart-server")];
    const start = Date.now();
    const run = await up({}, ...replace);
    expect((Date.now() - start) / 1000).toBeLessThanOrEqual(90);
    expect(run.code).not.toBe(0);
    expect(said(run)).toMatch(new RegExp(`Postgres ${facts.postgres.host}[\\w.]*:5432 is not reachable`));
    expect(health()).toBe("unhealthy");
    expect(stalwartLog(since)).toMatch(/gate: waiting for Postgres/);
    expect(listeners()).not.toContain(25);
  });

  test("with Postgres back mail flows by itself, and up is green again", async () => {
    await startPostgres(layout, { force: true });
    await eventually("a greeting through the edge", 60, greets);
    const run = await up();
    expect(run.code, said(run)).toBe(0);
  });
});

/** The urn of a resource of the stack by its type and name. */
function urn(tail: string): string {
  return `**${tail}`;
}
