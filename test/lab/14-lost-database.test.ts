import { describe, expect, test } from "vitest";

import { POSTGRES, sql } from "../../lab/postgres.ts";
import { accountPassword, mailIn } from "../../cli/parts/mail-round-trip.ts";
import { send } from "../../lab/mail/outside.ts";
import { container, docker, eventually, facts, lab, layout, said, up } from "./lab.ts";

/**
 * What becomes of a message for alice: the server's words when it refuses, or why there was none to
 * ask.
 */
async function mailForAlice(): Promise<string> {
  const at = { host: facts.mailHost, port: 25, secure: false, from: "someone@outside.test" };
  const order = { ...at, to: `alice@${facts.mailDomain}`, subject: "lost database", body: "x" };
  return send(layout, order).then(
    ({ response }) => response,
    (error: unknown) => String(error),
  );
}

describe("a database made anew under a running Stalwart", () => {
  test("is served by the API alone after the next start: mail waits with its senders, and none is refused", async () => {
    const { database, user } = POSTGRES;
    await sql(layout, `DROP DATABASE ${database} WITH (FORCE)`);
    await sql(layout, `CREATE DATABASE ${database} OWNER ${user}`);
    const since = new Date().toISOString();
    docker("kvm", "restart", container("stalwart"));
    const log = () => docker("kvm", "logs", "--since", since, container("stalwart"));
    await eventually("a server", 60, () => /serving the API alone|watch: SMTP greets/.test(log()));
    const answer = await mailForAlice();
    console.log(`mail for alice: ${answer.slice(0, 300)}`);
    expect(answer).not.toMatch(/\b5\d\d[ -]/);
    expect(log()).toContain("the data store has no settings of tailwart's");
  }, 120_000);

  test("is written whole by the next up, without a refresh, and mail flows", async () => {
    const run = await up();
    expect(run.code, said(run)).toBe(0);
    expect(said(run)).toMatch(/does not hold the last deploy: everything is written anew/);
    expect(await mailIn(lab, await accountPassword(lab, "alice"))).toContain("edge:25");
    const again = await up({}, "--expect-no-changes");
    expect(again.code, said(again)).toBe(0);
  }, 400_000);
});
