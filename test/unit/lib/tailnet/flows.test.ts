import { describe, expect, test } from "vitest";

import { flowsOf } from "../../../../lib/tailnet/flows.ts";
import { ADMIN_PORT, MAIL_SERVICES } from "../../../../lib/mail-services.ts";

const tags = {
  stalwart: "tag:stalwart",
  edge: "tag:reverse-proxy",
  postgres: "tag:db",
  relay: "tag:mail",
  redis: "tag:redis",
  s3: "tag:s3",
};
const inputs = {
  tags,
  operators: ["group:operators", "ann@example.org"],
  services: [MAIL_SERVICES.smtp, MAIL_SERVICES.imaps],
  peers: { postgres: { port: 5433 }, relay: { port: 2587 }, redis: { port: 6380 }, s3: { port: 7070 } },
};
const flows = flowsOf(inputs);
const ends = (from: string) => flows.filter((f) => f.from === from).map(({ to, port }) => `${to}:${port}`);

describe("the flow table", () => {
  test("lets the edge reach Stalwart on the offered services' ports and nothing else", () => {
    expect(ends(tags.edge)).toEqual(["tag:stalwart:25", "tag:stalwart:993"]);
  });

  test("lets Stalwart open connections to Postgres, the relay, Redis and S3, on the configured ports (lesson 11)", () => {
    expect(ends(tags.stalwart)).toEqual(["tag:db:5433", "tag:mail:2587", "tag:redis:6380", "tag:s3:7070"]);
  });

  test("lets every operator reach the admin listener, and nobody else", () => {
    const admin = flows.filter(({ port }) => port === ADMIN_PORT);
    expect(admin.map(({ from, to }) => [from, to])).toEqual([
      ["group:operators", "tag:stalwart"],
      ["ann@example.org", "tag:stalwart"],
    ]);
  });

  test("never lets one of those open a connection", () => {
    const { postgres, relay, redis, s3 } = tags;
    expect([postgres, relay, redis, s3].flatMap(ends)).toEqual([]);
  });

  test("has no row for servers that are not on the tailnet", () => {
    const without = flowsOf({ ...inputs, peers: {} });
    expect(without.filter(({ from }) => from === tags.stalwart)).toEqual([]);
  });

  test("says of every flow why it is there", () => {
    for (const { why } of flows) expect(why).toMatch(/\w{3}/);
  });
});
