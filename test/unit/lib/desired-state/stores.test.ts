import { expect, test } from "vitest";

import { POSTGRES_OPTIONS } from "../../../../lib/desired-state/stores.ts";

test("Postgres is asked to give a connection up after 30 s without an answer, idle or not (lesson 20)", () => {
  const asked = Object.fromEntries(
    [...POSTGRES_OPTIONS.matchAll(/-c (\w+)=(\d+)(?: |$)/g)].map(([, name, value]) => [name, Number(value)]),
  );
  const idle = asked["tcp_keepalives_idle"] ?? NaN;
  const looks = (asked["tcp_keepalives_interval"] ?? NaN) * (asked["tcp_keepalives_count"] ?? NaN);
  expect(idle).toBeGreaterThan(0);
  expect(idle + looks).toBeLessThanOrEqual(30);
  expect(asked["tcp_user_timeout"]).toBe(30_000);
});
