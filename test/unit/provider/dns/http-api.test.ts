// What a question to a provider's API says when it goes wrong, and where its key never goes.
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { HttpApi } from "../../../../provider/dns/http-api.ts";
import { DnsApiServer } from "../../../fakes/dns-api-server.ts";
import type { Answer } from "../../../../lab/fakes/serve.ts";

const SECRET = "the-secret-itself";
let answer: Answer;
let server: DnsApiServer;
let url: string;
beforeEach(async () => {
  server = new DnsApiServer(() => answer);
  url = await server.start();
});
afterEach(() => server.stop());

const api = (at = url) =>
  new HttpApi({
    ...{ where: "A provider", url: at, secret: SECRET, scopes: "write" },
    headers: { authorization: `Bearer ${SECRET}` },
  });

describe("an answer that is no success", () => {
  test("is told in its own words, without the secret and without control characters", async () => {
    answer = { status: 400, json: { detail: `no zone for ${SECRET}`, other: "\u001b[2J" } };
    const said = await api().ask("PUT", "/zones", {}).catch(String);
    expect(said).toContain("A provider answers PUT /zones with HTTP 400:");
    expect(said).toContain("no zone for [secret]");
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain("\u001b");
  });

  test("is nothing found where what is asked for may be missing, and an error for any other reason", async () => {
    answer = { status: 404, json: {} };
    expect(await api().find("GET", "/zones/a")).toBeUndefined();
    answer = { status: 500, json: {} };
    await expect(api().find("GET", "/zones/a")).rejects.toThrow(/HTTP 500/);
  });

  test("and leads elsewhere is not followed, since the key would go there, too", async () => {
    const other = new DnsApiServer(() => ({ status: 200, json: {} }));
    answer = { status: 307, headers: { location: `${await other.start()}/zones` } };
    await expect(api().ask("GET", "/zones")).rejects.toThrow(/does not answer GET \/zones: .*redirect/);
    expect(other.asked).toEqual([]);
    other.stop();
  });
});

test("a service that is not there is named with what was asked and why, and is not asked to write twice", async () => {
  server.cutAfter = { writes: 0, done: true };
  answer = { status: 204 };
  const said = await api().ask("PUT", "/zones", {}).catch(String);
  expect(said).toMatch(/A provider does not answer PUT \/zones: .*closed/);
  expect(server.writes()).toHaveLength(1);
  server.stop();
  await expect(api().ask("GET", "/zones")).rejects.toThrow(/ECONNREFUSED/);
});
