// What the fake Spaceship refuses, as the real one does; where that is known from, its head says.
import { describe, expect, test } from "vitest";

import { type ApiKey, Spaceship } from "../../../../lab/fakes/spaceship.ts";

const GOOD: ApiKey = { key: "good", secret: "s1", scopes: ["dnsrecords:read", "dnsrecords:write"] };
const READS: ApiKey = { key: "reads", secret: "s2", scopes: ["dnsrecords:read"] };
const SPF = { type: "TXT", name: "@", value: "v=spf1 mx -all" };
const SRV = { type: "SRV", name: "@", service: "_pop3", protocol: "_tcp", priority: 0, weight: 0 };

const service = () => new Spaceship([GOOD, READS], ["lab.test"]);

function asked(at: Spaceship, method: string, body?: unknown, by: Partial<ApiKey> = GOOD, path = "lab.test") {
  const query = method === "GET" ? "?take=500&skip=0" : "";
  const headers = { "x-api-key": by.key, "x-api-secret": by.secret };
  const text = body === undefined ? "" : JSON.stringify(body);
  return at.answer({ method, url: `/api/v1/dns/records/${path}${query}`, headers, body: text });
}

describe("a key", () => {
  test.each([
    ["that nobody has", { key: "dead", secret: "s1" }],
    ["with another key's secret", { key: "good", secret: "s2" }],
    ["without a secret", { key: "good" }],
    ["that is not sent", {}],
  ])("%s is 401, for reading as well", (_what, by) => {
    expect(asked(service(), "GET", undefined, by).status).toBe(401);
    expect(asked(service(), "PUT", { items: [SPF] }, by).status).toBe(401);
  });

  test("that may only read gets 200 for a GET, and 403 for each change", () => {
    const at = service();
    expect(asked(at, "GET", undefined, READS).status).toBe(200);
    expect(asked(at, "PUT", { items: [SPF] }, READS).status).toBe(403);
    expect(asked(at, "DELETE", [SPF], READS).status).toBe(403);
    expect(at.records("lab.test")).toEqual([]);
  });

  test("that may do both writes, reads and deletes", () => {
    const at = service();
    expect(asked(at, "PUT", { items: [SPF] })).toEqual({ status: 204 });
    const { json } = asked(at, "GET");
    expect(json).toEqual({ items: [{ ...SPF, ttl: 3600, group: { type: "custom" } }], total: 1 });
    expect(asked(at, "DELETE", [SPF])).toEqual({ status: 204 });
    expect(asked(at, "GET").json).toEqual({ items: [], total: 0 });
  });

  test("has no domain of somebody else's", () => {
    expect(asked(service(), "GET", undefined, GOOD, "other.test").status).toBe(404);
  });
});

describe("PUT", () => {
  test("with another value adds a record beside the first, whether forced or not", () => {
    const at = service();
    asked(at, "PUT", { items: [SPF] });
    for (const force of [false, true])
      expect(asked(at, "PUT", { force, items: [{ ...SPF, value: `v=spf1 ${force} -all` }] }).status).toBe(
        204,
      );
    expect(at.records("lab.test").map(({ value }) => value)).toEqual([
      SPF.value,
      "v=spf1 false -all",
      "v=spf1 true -all",
    ]);
  });

  test("with the same value changes its TTL, and adds nothing", () => {
    const at = service();
    asked(at, "PUT", { items: [SPF] });
    asked(at, "PUT", { items: [{ ...SPF, ttl: 60 }] });
    expect(at.records("lab.test")).toEqual([{ ...SPF, ttl: 60 }]);
  });

  test("tells values of TXT apart by their case, and no others", () => {
    const at = service();
    asked(at, "PUT", { items: [SPF, { ...SPF, value: SPF.value.toUpperCase() }] });
    asked(at, "PUT", {
      items: ["MX.lab.test", "mx.lab.test"].map((exchange) => ({
        type: "MX",
        name: "@",
        exchange,
        preference: 10,
      })),
    });
    expect(at.records("lab.test").map(({ type }) => type)).toEqual(["TXT", "TXT", "MX"]);
  });

  test("beside an alias is 422, and takes its place when forced", () => {
    const at = service();
    asked(at, "PUT", { items: [{ type: "CNAME", name: "www", cname: "a.test" }] });
    const other = { items: [{ type: "CNAME", name: "www", cname: "b.test" }] };
    expect(asked(at, "PUT", other).status).toBe(422);
    expect(asked(at, "PUT", { ...other, force: true }).status).toBe(204);
    expect(at.records("lab.test").map(({ cname }) => cname)).toEqual(["b.test"]);
  });

  test.each([
    ["no items", {}],
    ["an empty list", { items: [] }],
    ["more than 500", { items: Array.from({ length: 501 }, () => SPF) }],
    ["no data", { items: [{ type: "TXT", name: "@" }] }],
    ["an unknown type", { items: [{ ...SPF, type: "SPF" }] }],
    ["a blank text", { items: [{ ...SPF, value: " " }] }],
    [
      "a dot at the end of a host",
      { items: [{ type: "MX", name: "@", exchange: "a.test.", preference: 1 }] },
    ],
    ["an SRV record that says that there is none", { items: [{ ...SRV, port: 0, target: "." }] }],
    ["a TTL of a day", { items: [{ ...SPF, ttl: 86_400 }] }],
  ])("with %s is 422, and nothing is written", (_what, body) => {
    const at = service();
    expect(asked(at, "PUT", body).status).toBe(422);
    expect(at.records("lab.test")).toEqual([]);
  });
});

describe("DELETE", () => {
  test("takes a bare array: an object around it is 422", () => {
    const at = service();
    asked(at, "PUT", { items: [SPF] });
    expect(asked(at, "DELETE", { items: [SPF] }).status).toBe(422);
    expect(at.records("lab.test")).toHaveLength(1);
  });

  test("needs the value, and of a value that is not there says 404", () => {
    const at = service();
    asked(at, "PUT", { items: [SPF] });
    expect(asked(at, "DELETE", [{ type: "TXT", name: "@" }]).status).toBe(422);
    expect(asked(at, "DELETE", [{ ...SPF, value: "other" }]).status).toBe(404);
    expect(at.records("lab.test")).toHaveLength(1);
  });
});

test("GET needs take and skip", () => {
  const headers = { "x-api-key": GOOD.key, "x-api-secret": GOOD.secret };
  const url = "/api/v1/dns/records/lab.test";
  for (const query of ["", "?take=10", "?take=501&skip=0", "?take=0&skip=0"])
    expect(service().answer({ method: "GET", url: url + query, headers, body: "" }).status).toBe(422);
});
