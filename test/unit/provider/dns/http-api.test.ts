// What a question to a provider's API says when it goes wrong, and where its key never goes.
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { HttpApi } from "../../../../provider/dns/http-api.ts";
import { type ApiAnswer, DnsApiServer } from "../../../fakes/dns-api-server.ts";

const SECRET = "the-secret-itself";
let answer: ApiAnswer | ((question: { headers: object }) => ApiAnswer);
let server: DnsApiServer;
let url: string;
beforeEach(async () => {
  server = new DnsApiServer((question) => (typeof answer === "function" ? answer(question) : answer));
  url = await server.start();
});
afterEach(() => server.stop());

const api = (secret = SECRET) =>
  new HttpApi({
    ...{ where: "A provider", url, secret, scopes: "write" },
    headers: (key) => ({ authorization: `Bearer ${key}` }),
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

describe("an answer that is no API's", () => {
  test.each([
    ["a portal's page", "<html>Sign in to the hotel's network</html>", /Sign in to the hotel's network/],
    ["nothing at all", "", /no JSON/],
  ])("but %s is told as such, and is no proof that something is there", async (_what, text, says) => {
    answer = { status: 200, text };
    for (const asked of [api().ask("GET", "/zones"), api().find("GET", "/zones/a")]) {
      const said = await asked.catch(String);
      expect(said).toMatch(/^UserError: A provider answers GET \/zones\S* with no JSON: /);
      expect(said).toMatch(says);
      expect(said).toContain(`Something else answers for ${url}, such as a portal or a proxy`);
    }
  });

  test("is a change's, too, though one that says nothing is done", async () => {
    answer = { status: 200, text: "<html></html>" };
    await expect(api().ask("PUT", "/zones", {})).rejects.toThrow(/with no JSON/);
    answer = { status: 204 };
    expect((await api().ask("PUT", "/zones", {})).body).toBeUndefined();
  });
});

describe("a secret", () => {
  test.each([
    ["a newline after it", "the-secret\n", "the-secret"],
    ["a quote in it", 'the"secret', 'the"secret', 'the\\"secret'],
    ["a backslash in it", "the\\secret", "the\\secret", "the\\\\secret"],
    ["signs that JSON need not escape", "the/<secret", "the/<secret", "the\\/\\u003Csecret"],
  ])("with %s is in no message, however an answer repeats it", async (_what, given, sent, escaped = sent) => {
    const seen: unknown[] = [];
    answer = ({ headers }) => {
      seen.push((headers as Record<string, unknown>)["authorization"]);
      return { status: 400, text: `"${sent} ${escaped}."` };
    };
    const said = await api(given).ask("GET", "/zones").catch(String);
    expect(seen).toEqual([`Bearer ${sent}`]);
    expect(said).toContain('HTTP 400: "[secret] [secret]."');
  });

  test.each([
    ["is empty", "", /is empty/],
    ["is blank", " \n", /is empty/],
    ["has a typographic quote", "the-secret’s", /has a character that no key has/],
    ["is of two lines", "the-secret\nand-more", /has a character that no key has/],
  ])("that %s is refused before anything is asked, with what to do", (_what, secret, says) => {
    expect(() => api(secret)).toThrow(says);
    expect(() => api(secret)).toThrow(/pulumi config set --secret tailwart:dnsSecret/);
    expect(() => api(secret)).not.toThrow(/the-secret/);
    expect(server.asked).toEqual([]);
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
