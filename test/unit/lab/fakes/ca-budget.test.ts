// What the fake budget refuses, as Let's Encrypt does; where that is known from, its head says.
import { beforeEach, describe, expect, test } from "vitest";

import { type Caa, CaBudget, permits } from "../../../../lab/fakes/ca-budget.ts";

const CA = "https://ca.test";
const ME = `${CA}/account/1`;
const HOUR = 3600;

let seconds: number;
let records: Record<string, Caa[]>;
let budget: CaBudget;
let orders: number;

beforeEach(() => {
  [seconds, orders, records] = [0, 0, {}];
  budget = new CaBudget(
    "ca.test",
    (name) => Promise.resolve(records[name] ?? []),
    () => seconds,
  );
  const directory = JSON.stringify({ newOrder: `${CA}/new-order` });
  budget.note({ method: "GET", url: `${CA}/dir`, body: "" }, { status: 200, body: directory });
});

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
function post(url: string, payload: unknown, kid = ME) {
  const body = JSON.stringify({ protected: encoded({ kid, url }), payload: encoded(payload), signature: "" });
  return { method: "POST", url, body };
}

/** Asks for an order: its number, or the refusal. */
async function order(names: string[], kid = ME) {
  const request = post(
    `${CA}/new-order`,
    { identifiers: names.map((value) => ({ type: "dns", value })) },
    kid,
  );
  const refused = await budget.refusal(request);
  if (refused) return refused;
  const n = ++orders;
  const body = JSON.stringify({ status: "pending", ...linksOf(n) });
  budget.note(request, { status: 201, location: `${CA}/order/${n}`, body });
  return n;
}
const linksOf = (n: number) => ({ authorizations: [`${CA}/authz/${n}`], finalize: `${CA}/finalize/${n}` });

/** The client reads that a proof has failed; clients ask more than once. */
function fails(n: number, value: string): void {
  const body = JSON.stringify({ status: "invalid", identifier: { type: "dns", value } });
  for (let i = 0; i < 2; i++) budget.note(post(`${CA}/authz/${n}`, ""), { status: 200, body });
}
function issues(n: number): void {
  const body = JSON.stringify({ status: "valid", ...linksOf(n), certificate: `${CA}/cert/${n}` });
  for (let i = 0; i < 2; i++) budget.note(post(`${CA}/order/${n}`, ""), { status: 200, body });
}

describe("failed proofs", () => {
  async function fail(times: number, name = "mail.lab.test", kid = ME) {
    for (let i = 0; i < times; i++) fails((await order([name], kid)) as number, name.replace("*.", ""));
  }

  test("are five an hour: the sixth order is 429 with Retry-After, and in Let's Encrypt's words", async () => {
    await fail(5);
    const refused = await order(["mail.lab.test"]);
    expect(refused).toMatchObject({ status: 429, headers: { "retry-after": "720" } });
    const { type, detail } = (refused as { json: { type: string; detail: string } }).json;
    expect(type).toBe("urn:ietf:params:acme:error:rateLimited");
    expect(detail).toMatch(
      /^too many failed authorizations \(5\) for "mail\.lab\.test" in the last 1h0m0s, retry after \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: see https:/,
    );
  });

  test("are forgiven one each twelve minutes", async () => {
    await fail(5);
    seconds = HOUR / 5 - 1;
    expect(await order(["mail.lab.test"])).toMatchObject({ status: 429 });
    seconds = HOUR / 5;
    expect(await order(["mail.lab.test"])).toBe(6);
  });

  test("count for a wildcard as for the name below it, and neither for another name nor account", async () => {
    await fail(5, "*.lab.test");
    expect(await order(["lab.test"])).toMatchObject({ status: 429 });
    expect(await order(["other.test"])).toBe(6);
    expect(await order(["*.lab.test"], `${CA}/account/2`)).toBe(7);
  });
});

describe("certificates for the same names", () => {
  test("are five a week, in whatever order the names are asked for, by whatever account", async () => {
    for (let i = 0; i < 5; i++) issues((await order(["a.test", "b.test"])) as number);
    const refused = await order(["b.test", "a.test"], `${CA}/account/2`);
    expect(refused).toMatchObject({ status: 429, headers: { "retry-after": String((168 * HOUR) / 5) } });
    expect(JSON.stringify(refused)).toMatch(
      /already issued for this exact set of identifiers in the last 168h0m0s/,
    );
    expect(await order(["a.test"])).toBe(6);
    expect(budget.left().set).toEqual({ "a.test,b.test": 0 });
  });

  test("that were only ordered cost nothing", async () => {
    for (let i = 0; i < 6; i++) expect(await order(["a.test"])).toBe(i + 1);
  });
});

test("orders are 300 in three hours", async () => {
  for (let i = 0; i < 300; i++) await order([`${i}.test`]);
  expect(await order(["last.test"])).toMatchObject({ status: 429, headers: { "retry-after": "36" } });
});

describe("CAA", () => {
  test("of another account refuses the certificate, at the closest name that has a record", async () => {
    records = { "lab.test": [{ critical: 0, issue: `ca.test; accounturi=${CA}/account/2` }] };
    const n = (await order(["mail.lab.test"])) as number;
    const refused = await budget.refusal(post(`${CA}/finalize/${n}`, { csr: "" }));
    expect(refused).toMatchObject({ status: 403, json: { type: "urn:ietf:params:acme:error:caa" } });
    records["mail.lab.test"] = [{ critical: 0, issue: `ca.test; accounturi=${ME}` }];
    expect(await budget.refusal(post(`${CA}/finalize/${n}`, { csr: "" }))).toBeUndefined();
  });

  test.each([
    ["none", [], false, true],
    ["this CA", ["ca.test"], false, true],
    ["another CA", ["other.test"], false, false],
    ["nobody", [";"], false, false],
    ["one of two", ["other.test", "ca.test"], false, true],
    ["this account", [`ca.test; accounturi=${ME}`], false, true],
    [
      "this account, beside other parameters",
      [`ca.test; validationmethods=dns-01; accounturi=${ME}`],
      false,
      true,
    ],
    ["another account", [`ca.test; accounturi=${CA}/account/2`], false, false],
    ["two accounts in one record", [`ca.test; accounturi=${ME}; accounturi=${ME}`], false, false],
  ])("of %s", (_what, issue, wildcard, permitted) => {
    const found = issue.map((value) => ({ critical: 0, issue: value }));
    expect(permits(found, wildcard, "ca.test", ME)).toBe(permitted);
  });

  test("for wildcards takes issuewild's word, where there is one", () => {
    const both = [
      { critical: 0, issue: "ca.test" },
      { critical: 0, issuewild: ";" },
    ];
    expect(permits(both, true, "ca.test", ME)).toBe(false);
    expect(permits(both, false, "ca.test", ME)).toBe(true);
    expect(permits(both.slice(0, 1), true, "ca.test", ME)).toBe(true);
  });
});
