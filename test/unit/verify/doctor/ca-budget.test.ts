import { describe, expect, test } from "vitest";

import { LETS_ENCRYPT, limitsOf } from "../../../../lib/acme-cas.ts";
import { caBudget, judgeBudget, leftOf } from "../../../../verify/checks/ca-budget.ts";
import {
  DoctorScene,
  type DoctorTarget,
  type Issued,
  type ServerApi,
} from "../../../../verify/doctor/target.ts";

const NOW = new Date("2026-06-15T12:00:00Z");
const HOUR = 3_600_000;
const LIMITS = limitsOf(LETS_ENCRYPT);
if (LIMITS === undefined) throw new Error("Let's Encrypt's limits are not known");

const ago = (hours: number) => new Date(NOW.getTime() - hours * HOUR);
const cert = (names: string[], hours: number, issuer = "C=US, O=Let's Encrypt, CN=E7") => ({
  names,
  issuer,
  from: ago(hours),
});
const judged = (issuances: Issued["issuances"], at = NOW) =>
  judgeBudget("example.org", { issuances, at }, LIMITS, new Set(["mail.example.org"]), NOW);
const MAIL = ["mail.example.org"];

test("a budget is full at first, and again by one each 34 hours of five a week", () => {
  expect(leftOf(LIMITS.set, [], NOW).tokens).toBe(5);
  expect(leftOf(LIMITS.set, [ago(0), ago(0), ago(0), ago(0), ago(0)], NOW)).toEqual({
    tokens: 0,
    next: new Date(NOW.getTime() + 33.6 * HOUR),
  });
  expect(leftOf(LIMITS.set, [ago(34), ago(0)], NOW).tokens).toBe(4);
  expect(leftOf(LIMITS.set, new Array<Date>(9).fill(ago(168)), NOW).tokens).toBe(5);
});

describe("the CA's budget", () => {
  test("is told by what was issued within the week", () => {
    expect(judged([])).toMatchObject({
      state: "ok",
      seen: expect.stringContaining("has issued 0 certificates"),
    });
    expect(judged([cert(MAIL, 200), cert(MAIL, 3)], ago(0.5))).toEqual({
      state: "ok",
      seen: "Let's Encrypt has issued 1 certificates for example.org and below within the week, as of 30 minutes ago",
    });
  });

  test("of a set of names warns of the last one, and fails with when there is one again", () => {
    const four = [1, 1, 1, 1].map((hours) => cert(MAIL, hours));
    expect(judged(four.slice(1))).toMatchObject({ state: "ok" });
    expect(judged(four)).toMatchObject({
      state: "warn",
      seen: expect.stringMatching(/gives out 1 of 5 certificates for exactly mail\.example\.org until/),
    });
    // All at once an hour ago: the next in 32.6 hours.
    expect(judged([...four, cert(MAIL, 1)])).toMatchObject({
      state: "fail",
      seen: expect.stringMatching(
        /0 of 5 certificates for exactly mail\.example\.org until 2026-06-16T20:36 UTC$/,
      ),
    });
  });

  test("of a set is of the very names, and of the stack's alone", () => {
    const two = (names: string[]) => [1, 1, 1].map((hours) => cert(names, hours));
    expect(judged([...two(MAIL), ...two(["www.example.org", ...MAIL])])).toMatchObject({ state: "ok" });
    const www = new Array<string>(6).fill("").map(() => cert(["www.example.org"], 1));
    expect(judged(www)).toMatchObject({ state: "ok" });
  });

  test("of a domain counts new certificates and no renewals, nor other CAs'", () => {
    const many = (count: number) =>
      new Array<string>(count).fill("").map((_, i) => cert([`n${i}.example.org`], 0));
    expect(judged(many(39))).toMatchObject({ state: "ok" });
    expect(judged(many(40))).toMatchObject({
      state: "warn",
      seen: expect.stringMatching(/10 of 50 certificates for example\.org and the names below it/),
    });
    expect(judged(many(50))).toMatchObject({ state: "fail" });
    const renewed = many(50).flatMap((each) => [{ ...each, from: ago(1500) }, each]);
    expect(judged(renewed)).toMatchObject({ state: "ok" });
    expect(judged(many(50).map((each) => ({ ...each, issuer: "C=AT, O=ZeroSSL" })))).toMatchObject({
      state: "ok",
    });
  });
});

describe("the row", () => {
  function look(
    acme: object[],
    domains: string[] = ["example.org"],
    answer: () => Promise<Issued> = () => Promise.resolve({ issuances: [], at: new Date() }),
  ) {
    const asked: string[] = [];
    const target = {
      settings: { acme, domains: domains.map((name) => ({ name })) },
    } as unknown as DoctorTarget;
    const scene = new DoctorScene(target, {} as ServerApi, (domain) => {
      asked.push(domain);
      return answer();
    });
    return caBudget.look(scene).then((found) => ({ ...found, asked }));
  }

  test("asks nobody where no client is at a CA whose limits are known", async () => {
    const lab = { directory: "https://acme.lab-ca.test:14000/dir", names: ["mail.lab.test"] };
    expect(await look([])).toMatchObject({ state: "skip", asked: [] });
    expect(await look([lab])).toMatchObject({ state: "skip", asked: [] });
  });

  test("asks for the domains of the names, the first three of them, and says of how many", async () => {
    const names = ["*.example.org", "mail.example.org", "a.one.test", "two.test", "three.test"];
    const found = await look([{ directory: LETS_ENCRYPT, names }], ["example.org", "one.test"]);
    expect(found.asked).toEqual(["example.org", "one.test", "two.test"]);
    expect(found).toMatchObject({
      state: "ok",
      seen: expect.stringMatching(/; of 4 domains 3 were looked up$/),
    });
  });

  test("warns where nobody tells, and is no alarm: mail does not hang on it", async () => {
    const silent = () => Promise.reject<Issued>(new Error("HTTP 503"));
    expect(
      await look([{ directory: LETS_ENCRYPT, names: ["mail.example.org"] }], undefined, silent),
    ).toMatchObject({
      state: "warn",
      seen: "what was issued for example.org is not known: HTTP 503",
    });
  });
});
